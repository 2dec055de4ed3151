"""Pipelines over the real stack: from an uploaded model to its answers."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnxruntime
import orjson
import pyarrow as pa
import pytest
import requests

from deploy.local.stack import Stack
from tests.support.client import Client, engine_of, other_key
from tests.support.onnx_models import WIDTH, doubling, summing, with_unknown_operator
from tests.support.pipelines import INFER, Caller

ROW = [1.0] * WIDTH
ARROW = "application/vnd.apache.arrow.file"
CHILDREN = 2  # of the cpu worker, as the Procfile has it
RECORDS = {"Content-Type": "application/json; format=pandas-records"}


def fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def rows_of(count: int, seed: int = 7) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 38, (count, WIDTH))


def direct(model: bytes, rows: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    """The same in one process, without anything of ours."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    found = session.run(names, {"text_input": rows.astype(np.float32)})
    return {name: array.ravel().tolist() for name, array in zip(names, found, strict=True)}


@pytest.fixture(scope="module")
def caller(stack: Stack) -> Caller:
    return Caller(stack)


@pytest.fixture(scope="module")
def workspace(caller: Caller) -> int:
    return caller.workspace(fresh("mine"))


@pytest.fixture(scope="module")
def deployment(caller: Caller, workspace: int) -> str:
    return caller.deploy(workspace, fresh("sums"), summing(), model="adder")


@pytest.mark.parametrize("count", [1, 1000, 25_000])
def test_rows_are_answered_with_one_result_that_equals_a_direct_run(
    caller: Caller, deployment: str, count: int
) -> None:
    rows = rows_of(count)
    body = {"text_input": rows.tolist()}
    answer = caller.infer(deployment, body)
    assert answer.status_code == 200, answer.text
    [result] = orjson.loads(answer.content)
    expected = direct(summing(), rows)
    assert [each["Float"]["dim"] for each in result["outputs"]] == [[count, 1]] * 2
    assert [each["Float"]["v"] for each in result["outputs"]] == [1, 1]
    for found, name in zip(result["outputs"], ("main", "half"), strict=True):
        assert np.allclose(found["Float"]["data"], expected[name], rtol=1e-6, atol=1e-6)
    assert result["original_data"] == body
    assert (result["model_name"], result["pipeline_name"]) == ("adder", deployment.rpartition("-")[0])
    assert uuid.UUID(result["model_version"])
    assert (result["check_failures"], result["shadow_data"]) == ([], {})
    assert result["elapsed"] > 0
    assert answer.headers["X-Job-ID"]


def test_records_are_answered_with_a_record_for_each_row(caller: Caller, deployment: str) -> None:
    records = [{"text_input": row} for row in rows_of(3).tolist()]
    answer = caller.infer(f"{INFER}/{deployment}/{deployment.rpartition('-')[0]}", records, headers=RECORDS)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [each["in"] for each in found] == records
    assert [each["out"]["main"] for each in found] == [[float(sum(each["text_input"]))] for each in records]
    assert {each["anomaly"]["count"] for each in found} == {0}
    metadata = found[0]["metadata"]
    assert orjson.loads(metadata["last_model"])["model_name"] == "adder"
    assert len(orjson.loads(metadata["last_model"])["model_sha"]) == 64
    assert metadata.keys() == {"last_model", "pipeline_version", "elapsed", "dropped", "partition"}
    assert len(metadata["elapsed"]) == 2


def test_the_parts_of_a_record_can_be_chosen_and_flattened(caller: Caller, deployment: str) -> None:
    query = {"dataset[]": "*", "dataset.exclude[]": ["metadata", "in"], "dataset.separator": "."}
    [flat] = caller.infer(deployment, [{"text_input": ROW}], params=query).json()
    assert flat.keys() == {"time", "out.main", "out.half", "anomaly.count"}
    [nested] = caller.infer(deployment, [{"text_input": ROW}], params={"dataset[]": ["out"]}).json()
    assert nested == {"out": {"main": [50.0], "half": [25.0]}}


def arrow(**columns: Any) -> bytes:
    sink = io.BytesIO()
    table = pa.table(columns)
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_arrow_is_answered_with_arrow(caller: Caller, deployment: str) -> None:
    rows = rows_of(1000).astype(np.float32)
    body = arrow(text_input=pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), WIDTH))
    answer = caller.infer(deployment, data=body, headers={"Content-Type": ARROW, "Accept": ARROW})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == ARROW
    table = pa.ipc.open_file(answer.content).read_all()
    assert table["out.main"].to_pylist() == [[value] for value in direct(summing(), rows)["main"]]
    assert table["in.text_input"].to_pylist() == rows.tolist()
    as_json = caller.infer(deployment, data=body, headers={"Content-Type": ARROW, "Accept": "application/json"})
    assert as_json.json()[0]["out"]["main"] == table["out.main"].to_pylist()[0]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"text_input": [[None] * WIDTH]}, "tensor values may not be null"),
        (f'{{"text_input": [[{",".join(["NaN"] * WIDTH)}]]}}', "not valid JSON"),
        ({"text_input": [ROW, ROW[1:]]}, "ragged"),
        ({"text_input": [ROW[1:]]}, "must have the shape [50], but has [49]"),
        ({"text_input": [["a"] * WIDTH]}, "must hold numbers"),
        ({"text_input": []}, "no rows"),
        ({"other": [ROW]}, "lacks the field text_input"),
        ([{"text_input": ROW}, {}], "Record 1 lacks the field text_input"),
        ("", "The body is empty"),
    ],
)
def test_a_bad_input_is_told_what_is_wrong_with_it(caller: Caller, deployment: str, body: Any, told: str) -> None:
    sent = body if isinstance(body, str) else orjson.dumps(body)
    answer = caller.infer(deployment, data=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    error = answer.json()
    assert told in error["error"]
    source = "engine" if sent else "platform"
    assert error == {"code": 400, "status": "error", "error": error["error"], "source": source}


def test_an_arrow_file_that_was_cut_short_is_refused(caller: Caller, deployment: str) -> None:
    body = arrow(text_input=pa.array([ROW], pa.list_(pa.float32(), WIDTH)))[:-30]
    answer = caller.infer(deployment, data=body, headers={"Content-Type": ARROW})
    assert (answer.status_code, answer.json()["source"]) == (400, "engine")
    assert "not a whole Arrow IPC file" in answer.json()["error"]


def test_a_body_of_200_megabytes_is_refused_before_it_is_read(caller: Caller, deployment: str) -> None:
    import http.client

    host = caller.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.putrequest("POST", f"{INFER}/{deployment}")
    for name, value in (("Content-Type", "application/json"), ("Content-Length", str(200 * 1024 * 1024))):
        connection.putheader(name, value)
    connection.putheader("Authorization", caller.authorization)
    connection.endheaders()
    answer = connection.getresponse()
    error = orjson.loads(answer.read())
    assert (answer.status, error["code"], error["source"]) == (413, 413, "platform")
    connection.close()


def test_another_type_and_another_method_are_refused(caller: Caller, deployment: str) -> None:
    refused = caller.infer(deployment, data=b"a,b", headers={"Content-Type": "text/csv"})
    assert (refused.status_code, refused.json()["code"]) == (415, 415)
    assert requests.get(f"{caller.url}{INFER}/{deployment}", timeout=10).status_code == 405


@pytest.mark.parametrize(
    "name", ["nothing-1", "nothing", "-1", "sums-999999999999999", "sums-99999999999999999", "x-1e3"]
)
def test_an_unknown_deployment_is_not_found(caller: Caller, name: str) -> None:
    answer = caller.infer(name, {"text_input": [ROW]})
    assert answer.status_code == 404
    assert answer.json() == {"code": 404, "status": "error", "error": "Deployment not found", "source": "platform"}


def test_a_second_step_checks_and_shadows(caller: Caller, workspace: int) -> None:
    name = fresh("chain")
    models = {
        each: caller.upload(workspace, f"{name}-{each}", content).json()
        for each, content in (
            ("sum", summing()),
            ("rival", summing(10.0)),
            ("twice", doubling("main", "twice")),
        )
    }
    assert len(models) == 3
    definition = [
        {"ModelInference": {"models": [{"name": f"{name}-sum"}, {"name": f"{name}-rival"}]}},
        {"ModelInference": {"models": [{"name": f"{name}-twice"}]}},
        {"Check": {"expr": "twice < 100"}},
        {"Check": {"expr": "twice > 0"}},
    ]
    deployed = caller.deploy_definition(workspace, name, definition)
    [result] = caller.infer(deployed, {"text_input": [ROW, [0] * WIDTH]}).json()
    assert result["outputs"] == [{"Float": {"v": 1, "dim": [2, 1], "data": [100.0, 0.0]}}]
    assert result["check_failures"] == [{"False": {"expr": "twice < 100"}}, {"False": {"expr": "twice > 0"}}]
    assert result["shadow_data"][f"{name}-rival"][0]["Float"]["data"] == [500.0, 0.0]
    [record, other] = caller.infer(deployed, [{"text_input": ROW}, {"text_input": [0.5] * WIDTH}]).json()
    assert (record["anomaly"]["count"], other["anomaly"]["count"]) == (1, 0)
    assert record[f"out_{name}-rival"]["main"] == [500.0]


def test_versions_of_a_model_run_side_by_side(caller: Caller, workspace: int) -> None:
    model = fresh("model")
    one = caller.deploy(workspace, fresh("one"), summing(1.0), model=model)
    two = caller.deploy(workspace, fresh("two"), summing(2.0), model=model)
    body = {"text_input": [ROW]}
    for deployed, expected in ((one, 50.0), (two, 100.0), (one, 50.0)):
        assert caller.infer(deployed, body).json()[0]["outputs"][0]["Float"]["data"] == [expected]
    [listed] = [each for each in caller.done("/workspaces/list")["workspaces"] if each["id"] == workspace]
    versions = caller.done("/models/list_versions", model_id=model, models_pk_id=listed["models"][-1])
    assert len({each["model_version"] for each in versions}) == len({each["sha"] for each in versions}) == 2
    assert {each["status"] for each in versions} == {"ready"}
    keys = {"sha", "models_pk_id", "model_version", "model_id", "id", "file_name", "status"}
    assert all(each.keys() == keys for each in versions)


def test_a_redeployment_fails_no_request(caller: Caller, workspace: int) -> None:
    name = fresh("swap")
    deployed = caller.deploy(workspace, name, summing(1.0))
    stop, seen, refused = threading.Event(), set(), []

    def ask() -> None:
        own = caller.another()
        while not stop.is_set():
            answer = own.infer(deployed, {"text_input": [ROW]})
            if answer.status_code == 200:
                seen.add(answer.json()[0]["outputs"][0]["Float"]["data"][0])
            else:
                refused.append(answer.text)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for factor in (2.0, 3.0):
        assert caller.deploy(workspace, name, summing(factor)) == deployed
    while 150.0 not in seen and not refused and any(thread.is_alive() for thread in threads):
        stop.wait(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert refused == []
    assert seen == {50.0, 100.0, 150.0}


def test_undeployed_is_not_found_and_the_next_version_is_there_again(caller: Caller, workspace: int) -> None:
    name = fresh("gone")
    deployed = caller.deploy(workspace, name, summing())
    number = int(deployed.rpartition("-")[2])
    status = caller.wait_until_running(deployed)
    assert status["engines"]
    assert (status["details"], status["engine_lbs"], status["sidekicks"]) == ([], [], [])
    assert caller.done("/pipelines/undeploy", pipeline_id=number, deployment_id=number) == {}
    assert caller.infer(deployed, {"text_input": [ROW]}).status_code == 404
    assert caller.call("/status/get_deployment", name=deployed).status_code == 404
    assert caller.deploy(workspace, name, summing()) == deployed
    assert caller.infer(deployed, {"text_input": [ROW]}).status_code == 200


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"no model at all", "it is no ONNX model"), (b"", "empty"), (with_unknown_operator(), "Levitate")],
)
def test_what_could_not_be_run_is_refused_as_a_model(caller: Caller, workspace: int, content: bytes, told: str) -> None:
    answer = caller.upload(workspace, "bad", content)
    assert answer.status_code == 400
    assert answer.json()["code"] == 400
    assert told in answer.json()["msg"]


def test_a_client_finds_the_url_by_the_names(caller: Caller, workspace: int, deployment: str) -> None:
    name = deployment.rpartition("-")[0]
    found = caller.done("/admin/get_pipeline_external_url", workspace_id=workspace, pipeline_name=name)
    assert found == {"url": f"{caller.url}{INFER}/{deployment}"}


def test_inside_it_is_run_without_a_token_and_nothing_else_is_done(
    caller: Caller, workspace: int, deployment: str
) -> None:
    name = deployment.rpartition("-")[0]
    url = caller.done("/admin/get_pipeline_internal_url", workspace_id=workspace, pipeline_name=name)["url"]
    assert not url.startswith(caller.url)
    body = {"text_input": [ROW]}
    answer = requests.post(url, json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.json()[0]["outputs"][0]["Float"]["data"] == [50.0]
    inside = url.partition("/v1/")[0]
    for path in ("/v1/api/workspaces/list", "/ai_service"):
        assert requests.post(inside + path, json={}, timeout=10).status_code == 401
    # What a client says of ports and hosts is not looked at.
    headers = {"Host": inside.removeprefix("http://"), "X-Forwarded-Port": inside.rpartition(":")[2]}
    outside = requests.post(f"{caller.url}{INFER}/{deployment}", json=body, headers=headers, timeout=10)
    assert (outside.status_code, outside.text) == (401, "Jwt is missing")
    wrong = requests.post(url, json=body, headers={"Authorization": "Bearer wrong"}, timeout=10)
    assert wrong.status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/workspaces/create", {}),
        ("/workspaces/create", {"workspace_name": "Not A Name"}),
        ("/workspaces/create", {"workspace_name": 7}),
        ("/pipelines/create", {"pipeline_id": "a", "workspace_id": 999_999}),
        ("/pipelines/deploy", {"deploy_id": "a", "pipeline_version_pk_id": 1, "pipeline_id": 999_999}),
        ("/pipelines/undeploy", {"pipeline_id": "x", "deployment_id": 1}),
        ("/models/list_versions", {"model_id": "a", "models_pk_id": 999_999}),
        ("/admin/get_pipeline_external_url", {"workspace_id": 999_999, "pipeline_name": "a"}),
    ],
)
def test_a_call_that_cannot_be_done_says_so_in_its_shape(caller: Caller, path: str, body: dict[str, Any]) -> None:
    answer = caller.call(path, **body)
    assert answer.status_code == 400
    assert answer.json() == {"msg": answer.json()["msg"], "code": 400}


def test_a_workspace_is_its_owners(stack: Stack, caller: Caller, workspace: int, deployment: str) -> None:
    other = Caller(stack, other_key(stack))
    name = deployment.rpartition("-")[0]
    assert workspace not in [each["id"] for each in other.done("/workspaces/list")["workspaces"]]
    for path, body in (
        ("/admin/get_pipeline_external_url", {"workspace_id": workspace, "pipeline_name": name}),
        ("/models/list_versions", {"model_id": "adder", "models_pk_id": 1}),
    ):
        assert other.call(path, **body).status_code == 400
    assert other.call("/status/get_deployment", name=deployment).status_code == 404
    assert other.infer(deployment, {"text_input": [ROW]}).json()["error"] == "Deployment not found"
    # The usual key may infer and not deploy.
    refused = other.call("/workspaces/create", workspace_name="theirs")
    assert (refused.status_code, refused.json()["code"]) == (403, 403)


def test_an_inference_is_a_job(stack: Stack, caller: Caller, deployment: str) -> None:
    answer = caller.infer(deployment, {"text_input": [ROW]}, headers={"Idempotency-Key": fresh("key")})
    job = Client(stack).job(answer.headers["X-Job-ID"])
    assert (job["agent"], job["status"], job["attempts"]) == ("pipelines_infer", "completed", 1)
    assert "pipelines_infer" not in [each["name"] for each in Client(stack).get("/v1/agents").json()["agents"]]
    assert Client(stack).post("/v1/agents/pipelines_infer/run", json={}).status_code == 404


@pytest.mark.parametrize("count", [1, 1000])
def test_a_request_that_is_repeated_with_its_key_is_run_once(caller: Caller, deployment: str, count: int) -> None:
    body, headers = {"text_input": rows_of(count).tolist()}, {"Idempotency-Key": fresh("key")}
    first, again = (caller.infer(deployment, body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.headers["X-Job-ID"] == again.headers["X-Job-ID"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.content == again.content
    reused = caller.infer(deployment, {"text_input": [ROW]}, headers=headers)
    assert (reused.status_code, reused.json()["source"]) == (400, "platform")


@contextmanager
def every_child_busy(stack: Stack) -> Iterator[None]:
    """Nothing of the cpu worker starts meanwhile."""
    client = Client(stack)
    busy = [client.submit("steps", count=1_000) for _ in range(CHILDREN)]
    for job_id in busy:
        client.wait_for(job_id, "running")
    yield
    for job_id in busy:
        client.post(f"/v1/jobs/{job_id}/cancel")


@pytest.fixture(scope="module")
def batched(caller: Caller, workspace: int) -> str:
    definition = {"batching": {"max_batch": 16, "max_delay": 0.2}}
    return caller.deploy(workspace, fresh("batched"), summing(), definition)


def test_requests_that_wait_together_are_one_run_and_each_has_its_own_answer(
    stack: Stack, caller: Caller, batched: str
) -> None:
    answers: dict[int, requests.Response] = {}

    def ask(number: int) -> None:
        rows = [[0] * (WIDTH - 1) + [number]] * (number % 3 + 1) if number % 5 else [[0] * (WIDTH - 1)]
        answers[number] = caller.another().infer(batched, {"text_input": rows})

    engine = engine_of(stack)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    with every_child_busy(stack):
        for thread in threads:
            thread.start()
        line = engine.keys.pending("cpu")
        stack.wait_for("all of them to wait", lambda: len(answers) + engine.redis.zcard(line) == len(threads), 30)
        waiting: Any = engine.redis.zrange(line, 0, -1)
    for thread in threads:
        thread.join()
    for number, answer in answers.items():
        if number % 5:
            [result] = answer.json()
            assert result["outputs"][0]["Float"]["data"] == [float(number)] * (number % 3 + 1)
        else:
            assert answer.status_code == 400
            assert "49" in answer.json()["error"]
    # Also those that were refused: one of them may have taken the others along.
    jobs = [engine.get(job_id.decode()) for job_id in waiting]
    assert any(job is not None and job.company for job in jobs)
