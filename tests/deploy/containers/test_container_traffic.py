"""What callers do, through nginx and TLS: the README's calls, streams, sockets, and bodies larger than the memory."""

from __future__ import annotations

import json
import ssl
from contextlib import closing

import pytest
from websocket import create_connection

from tests.support.client import Client
from tests.support.compose import Compose, podman
from tests.support.sse import read_frames

pytestmark = pytest.mark.timeout(900)  # the first of them builds the images

TEXT = "Slipway keeps every job. It also prints reports. Ships are launched from a ramp."
ROW = [0] * 39 + [24, 8, 5, 12, 37, 1, 14, 15, 5, 11, 4]
MEGABYTE = 1024 * 1024


def test_the_calls_of_the_readme(client: Client) -> None:
    values = {"param1": TEXT, "param2": "jobs"}
    assert client.get("/").json()["message"] == "Hello World!"
    by_query = client.get("/ai_service", params=values)
    by_body = client.post("/ai_service", json=values)
    assert by_query.json()["result"] == by_body.json()["result"] != ""
    pdf = client.post("/ai_service_binary", json=values)
    assert pdf.content.startswith(b"%PDF-")
    again = client.get(pdf.headers["Content-Location"])
    assert again.content == pdf.content


def test_nobody_without_a_key(service: Compose) -> None:
    with service.session() as session:
        session.headers.pop("X-API-Key")
        answer = session.get(f"{service.url}/v1/agents", timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


def test_keys_are_made_inside(service: Compose) -> None:
    key = podman("exec", service.name("web"), "flask", "keys", "create", "--name", "tests").splitlines()[-1]
    with service.session() as session:
        session.headers["X-API-Key"] = key
        assert session.get(f"{service.url}/v1/agents", timeout=30).status_code == 200


def test_a_backup_is_made_inside(service: Compose) -> None:
    said = podman("exec", service.name("worker-io"), "python3", "-m", "deploy.backup", "save", "/tmp/backup.tar.gz")
    assert said.startswith("save: ")


def test_a_stream_arrives_while_its_job_runs(client: Client) -> None:
    with closing(client.post("/v1/agents/count/stream", json={"to": 40, "pause": 0.05}, stream=True)) as answer:
        frames = read_frames(answer)
        while next(frames).event != "token":
            pass
        # It has 39 numbers to go.
        assert client.job(answer.headers["X-Job-ID"])["status"] == "running"
        assert list(frames)[-1].event == "completed"


def test_a_chat_in_frames(client: Client) -> None:
    with closing(client.post("/chat/stream", json={"message": TEXT}, stream=True)) as answer:
        data = [frame.data for frame in read_frames(answer) if frame.data]
    assert data[-1] == "[DONE]"
    assert "".join(json.loads(each)["content"] for each in data[:-2])


def test_a_chat_over_a_socket(service: Compose) -> None:
    url = f"{service.url}/ws/me".replace("https", "wss")
    context = ssl.create_default_context(cafile=str(service.certificate))
    header = {"X-API-Key": service.api_key}
    with closing(
        create_connection(url, header=header, suppress_origin=True, sslopt={"context": context}, timeout=30)
    ) as socket:
        socket.send(json.dumps({"message": TEXT}))
        frames = [json.loads(socket.recv())]
        while "done" not in frames[-1]:
            frames.append(json.loads(socket.recv()))
    assert "".join(each["content"] for each in frames[:-1])


def test_a_large_file_is_uploaded_and_downloaded(client: Client) -> None:
    uploaded = client.post("/v1/files", files={"file": ("large.bin", b"x" * 60 * MEGABYTE)})
    assert uploaded.status_code == 201, uploaded.text
    assert uploaded.json()["size"] == 60 * MEGABYTE
    written = client.post("/v1/agents/write_file/run", json={"megabytes": 100})
    with closing(client.get(f"/v1/jobs/{written.headers['X-Job-ID']}/artifacts/file.bin", stream=True)) as answer:
        assert sum(map(len, answer.iter_content(MEGABYTE))) == 100 * MEGABYTE


def test_a_large_inference(client: Client) -> None:
    body = json.dumps({"text_input": [ROW]}).encode() + b" " * 60 * MEGABYTE
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/api/pipelines/infer/urldemopipeline-1", data=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()[0]["outputs"]


def test_a_model_that_is_larger_than_what_memory_is_for(client: Client) -> None:
    made = client.post("/v1/api/workspaces/create", json={"workspace_name": "containers"})
    metadata = json.dumps({"name": "large", "workspace_id": made.json()["workspace_id"]})
    files = {"metadata": (None, metadata, "application/json"), "file": ("large.onnx", b"x" * 300 * MEGABYTE)}
    answer = client.post("/v1/api/models/upload_and_convert", files=files)
    # A worker has read it to the end, and found that it is none.
    assert answer.status_code == 400, answer.text
