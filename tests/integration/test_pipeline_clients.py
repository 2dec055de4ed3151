"""The clients of this surface, as they are published, against the real stack and the sample model."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import requests

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from tests.support import toolbox
from tests.support.client import PATIENCE
from tests.support.identity_provider import CLIENT, PASSWORD, SECRET, USER, Running, identity_provider
from tests.support.issuer import AUDIENCE
from tests.support.names import direct, sample
from tests.support.pipelines import Caller
from tests.support.service import serve
from webapp.auth import jwks

CLIENTS = ROOT / "tests" / "clients"
ARROW = "application/vnd.apache.arrow.file"
NAMES = (
    *("banjori", "corebot", "cryptolocker", "dircrypt", "gozi", "kraken", "locky", "main", "matsnu"),
    *("pykspa", "qakbot", "ramdo", "ramnit", "simda", "suppobox"),
)


@pytest.fixture(scope="session")
def caller(stack: Stack, provider: Running) -> Caller:
    return Caller(stack, provider.log_in()["access_token"])


@pytest.fixture(scope="session")
def deployment(caller: Caller) -> str:
    """The sample, which was deployed by nobody's hand."""
    deadline = time.monotonic() + PATIENCE
    while not (found := url_of_sample(caller)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    name = found.rpartition("/")[2]
    caller.wait_until_running(name)
    return name


def url_of_sample(caller: Caller) -> str:
    spaces = caller.done("/workspaces/list")["workspaces"]
    wanted = next((each["id"] for each in spaces if each["name"] == "urldemoworkspace"), 0)
    answer = caller.call("/admin/get_pipeline_external_url", workspace_id=wanted, pipeline_name="urldemopipeline")
    return str(answer.json().get("url", ""))


@pytest.fixture(scope="session")
def clients() -> Path:
    """The programs of an environment that has the published clients."""
    return toolbox.clients()


def run(python: Path | str, script: str, *arguments: str, stdin: Any = None, **environ: str) -> Any:
    done = subprocess.run(
        [str(python), str(CLIENTS / script), *arguments],
        input=None if stdin is None else json.dumps(stdin),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def is_what_the_model_says(found: dict[str, Any], body: dict[str, list[list[int]]]) -> bool:
    wanted = direct(body)
    assert list(found) == list(NAMES)
    return all(np.allclose(found[name], wanted[name], rtol=0, atol=1e-6) for name in NAMES)


@pytest.mark.parametrize("rows", [1, 1000, 25_000])
def test_the_tutorials_script_runs_from_the_token_to_the_result(
    stack: Stack, provider: Running, deployment: str, tmp_path: Path, rows: int
) -> None:
    body = sample(rows)
    (tmp_path / "data.json").write_text(json.dumps(body))
    names = {"USERNAME": USER, "PASSWORD": PASSWORD, "CLIENT": CLIENT, "SECRET": SECRET}
    arguments = (stack.url, provider.token_url, str(tmp_path / "data.json"))
    said = run(sys.executable, "tutorial.py", *arguments, **names)
    assert said["url"].endswith(f"/v1/api/pipelines/infer/{deployment}")
    [result] = said["results"]
    assert (result["model_name"], result["pipeline_name"]) == ("urldemomodel", "urldemopipeline")
    assert [output["Float"]["dim"] for output in result["outputs"]] == [[rows, 1]] * 15
    outputs = [output["Float"]["data"] for output in result["outputs"]]
    assert is_what_the_model_says(dict(zip(NAMES, outputs, strict=True)), body)
    assert result["original_data"] == body
    # These are names of one family, and the verdict is the eighth output.
    assert np.mean(np.array(outputs[7]) > 0.5) > 0.9


def test_the_decoder_of_the_published_sdk_reads_an_answer(caller: Caller, deployment: str, clients: Path) -> None:
    body = sample(3)
    frame = run(clients / "python", "sdk_decoder.py", stdin=caller.infer(deployment, body).json())
    [row] = frame["rows"]
    assert row["model_name"] == "urldemomodel"
    assert [row[f"input_0_{number}"] for number in range(150)] == np.ravel(body["text_input"]).tolist()
    found = {name: [row[f"output_{place}_{number}"] for number in range(3)] for place, name in enumerate(NAMES)}
    assert is_what_the_model_says(found, body)


def test_pyarrow_reads_an_answer_to_what_it_wrote(caller: Caller, deployment: str) -> None:
    body = sample(1000)
    table = pa.table({"text_input": pa.array(body["text_input"], pa.list_(pa.float32(), 50))})
    sent = io.BytesIO()
    with pa.ipc.new_file(sent, table.schema) as writer:
        writer.write_table(table)
    headers = {"Content-Type": ARROW, "Accept": ARROW}
    query = {"dataset[]": "*", "dataset.exclude[]": "metadata", "dataset.separator": "."}
    answer = caller.infer(deployment, data=sent.getvalue(), headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    read = pa.ipc.open_file(answer.content).read_all()
    assert read.schema.field("time").type == pa.timestamp("ms")
    assert not [name for name in read.column_names if name.startswith("metadata")]
    assert is_what_the_model_says({name: np.ravel(read[f"out.{name}"].to_pylist()) for name in NAMES}, body)
    assert read["in.text_input"].to_pylist() == body["text_input"]


def test_tritonclient_asks_and_infers(stack: Stack, deployment: str, clients: Path) -> None:
    body = sample(5)
    address = stack.url.removeprefix("http://")
    said = run(clients / "python", "triton.py", address, stack.api_key, "urldemopipeline", stdin=body["text_input"])
    assert said["live"] is said["ready"] is said["model ready"] is True
    assert said["server"]["extensions"] == ["binary_tensor_data"]
    assert said["model"]["name"] == "urldemopipeline"
    assert said["model"]["inputs"] == [{"name": "text_input", "datatype": "FP32", "shape": [-1, 50]}]
    assert said["model"]["outputs"][7] == {"name": "main", "datatype": "FP32", "shape": [-1, 1]}
    assert is_what_the_model_says(said["binary"], body)
    assert is_what_the_model_says(said["json"], body)
    assert said["named"] == {"main": said["binary"]["main"]}
    assert said["refused"] == ["404", "Deployment not found"]
    assert deployment.startswith("urldemopipeline-")


def test_a_refreshed_token_opens_the_door_and_a_used_refresh_token_gives_none(stack: Stack, provider: Running) -> None:
    refresh = provider.log_in()["refresh_token"]
    answer = provider.ask(grant_type="refresh_token", refresh_token=refresh)
    assert Caller(stack, answer.json()["access_token"]).call("/workspaces/list").status_code == 200
    assert provider.ask(grant_type="refresh_token", refresh_token=refresh).status_code == 401


def test_tokens_of_a_new_key_are_taken_when_the_provider_rotates(
    valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "REFETCH_SECONDS", 0.0)
    with identity_provider() as own:
        settings = {"oidc_issuer": own.issuer, "oidc_audience": (AUDIENCE,), "oidc_token_types": ("JWT",)}
        with serve(valkey_url, tmp_path, **settings) as service:

            def status(token: str) -> int:
                return service.client(token).post("/v1/api/workspaces/list", json={}).status_code

            old = own.log_in()["access_token"]
            assert status(old) == 200
            own.rotate()
            assert status(own.log_in()["access_token"]) == 200
            assert status(old) == 401


FLOATS = {"name": "text_input", "datatype": "FP32", "shape": [1, 50]}
VALUES: dict[str, Any] = {**FLOATS, "data": [0.0] * 50}
BINARY = {**FLOATS, "parameters": {"binary_data_size": 200}}


@pytest.fixture(scope="session")
def door(stack: Stack, deployment: str) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {stack.api_key}"
        yield session


def ask(stack: Stack, door: requests.Session, document: Any, tail: bytes = b"", length: str = "") -> requests.Response:
    head = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"Inference-Header-Content-Length": length or str(len(head))} if length or tail else {}
    return door.post(f"{stack.url}/v2/models/urldemopipeline/infer", data=head + tail, headers=headers, timeout=60)


@pytest.mark.parametrize(
    ("document", "tail", "said"),
    [
        (b"{", b"", "not valid JSON"),
        (b"[]", b"", "must be an object"),
        ({}, b"", "a list of inputs"),
        ({"inputs": []}, b"", "a list of inputs"),
        ({"inputs": [VALUES, VALUES]}, b"", "a name of its own"),
        ({"inputs": [{**VALUES, "name": "other"}]}, b"", "lacks the field text_input"),
        ({"inputs": [{**VALUES, "datatype": "INT64"}]}, b"", "must be FP32, but is INT64"),
        ({"inputs": [{**VALUES, "shape": [1, 49]}]}, b"", "has 50 values, but the shape [1, 49]"),
        ({"inputs": [{**VALUES, "shape": [50]}]}, b"", "must have the shape [50]"),
        ({"inputs": [{**VALUES, "shape": [-1, 50]}]}, b"", "must be a list of numbers"),
        ({"inputs": [{**VALUES, "shape": [0, 50], "data": []}]}, b"", "has no rows"),
        ({"inputs": [{**VALUES, "data": [None] * 50}]}, b"", "may not be null"),
        ({"inputs": [{**VALUES, "data": ["1"] * 50}]}, b"", "holds strings"),
        ({"inputs": [{**VALUES, "data": [[1], [2, 3]]}]}, b"", "ragged"),
        ({"inputs": [FLOATS]}, b"", "has no data"),
        ({"inputs": [VALUES], "outputs": [{"name": "nobodys"}]}, b"", "unknown"),
        ({"inputs": [VALUES], "parameters": {"sequence_id": 7}}, b"", "sequence_id"),
        ({"inputs": [BINARY]}, b"", "does not have the 200 bytes"),
        ({"inputs": [BINARY]}, b"\0" * 199, "does not have the 200 bytes"),
        ({"inputs": [BINARY]}, b"\0" * 201, "1 bytes more"),
        ({"inputs": [{**BINARY, "shape": [1, 49]}]}, b"\0" * 200, "has 50 values"),
        ({"inputs": [BINARY]}, np.full(50, np.nan, np.float32).tobytes(), "NaN"),
        ({"inputs": [{**BINARY, "parameters": {"binary_data_size": -4}}]}, b"\0" * 200, "does not have the -4 bytes"),
    ],
)
def test_a_bad_request_of_the_open_protocol_is_told_in_its_shape(
    stack: Stack, door: requests.Session, document: Any, tail: bytes, said: str
) -> None:
    answer = ask(stack, door, document, tail)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    assert said in answer.json()["error"]


def test_the_open_protocol_refuses_a_wrong_length_of_its_json(stack: Stack, door: requests.Session) -> None:
    for length in ("-1", "x", "99999"):
        answer = ask(stack, door, {"inputs": [VALUES]}, length=length)
        assert answer.status_code == 400
        assert "Inference-Header-Content-Length" in answer.json()["error"]


def test_the_open_protocol_needs_a_key_and_says_so_in_its_shape(stack: Stack) -> None:
    answer = requests.post(f"{stack.url}/v2/models/urldemopipeline/infer", json={"inputs": [VALUES]}, timeout=30)
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert requests.get(f"{stack.url}/v2", timeout=30).status_code == 401
    assert requests.get(f"{stack.url}/v2/health/ready", timeout=30).json() == {"ready": True}
