"""Uploads over real processes: a large one passes through the web server, a broken one leaves nothing."""

from __future__ import annotations

import hashlib
import http.client
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tests.integration.conftest import AGENTS
from tests.support.client import Client, engine_of
from tests.support.model_server import ModelServer

LARGE = 60  # MiB, of the 64 that are taken
SMALL = 4
PIECE = bytes(range(256)) * 4096
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n\r\n'
END = b"\r\n--b--\r\n"
PATIENCE = 60.0
DOCUMENTS = 4


def web_memory(stack: Stack) -> int:
    """MiB of all web processes, at their largest so far (they are not asked to give any back)."""
    main = stack.processes["web"].pid
    pids = [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]
    status = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
    return sum(int(each.split("VmHWM:")[1].split()[0]) for each in status) // 1024


def files(stack: Stack) -> list[Path]:
    return [path for path in stack.artifacts_dir.rglob("*") if path.is_file() and not path.name.startswith(".probe")]


def begin(stack: Stack, size: int = LARGE) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE)
    connection.putrequest("POST", "/v1/files")
    connection.putheader("X-API-Key", stack.api_key)
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(len(HEAD) + size * len(PIECE) + len(END)))
    connection.endheaders(HEAD)
    return connection


def upload(stack: Stack, size: int) -> tuple[str, bytes]:
    """Send so many MiB; return where the file is, and the digest of what was sent."""
    connection, content = begin(stack, size), hashlib.sha256()
    for _ in range(size):
        connection.send(PIECE)
        content.update(PIECE)
    connection.send(END)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()
    return str(answer.headers["Location"]), content.digest()


@pytest.fixture
def one_web(tmp_path: Path) -> Iterator[Stack]:
    """One process that answers: where it is ready, none is still loading and grows by that."""
    with Stack(tmp_path, {"WEB_CONCURRENCY": "1"}, only=("web",)) as running:
        yield running


def test_a_large_file_goes_to_the_store_and_not_into_memory(one_web: Stack) -> None:
    client = Client(one_web)
    upload(one_web, SMALL)  # what the first upload loads stays, whatever its size
    before = web_memory(one_web)
    where, digest = upload(one_web, LARGE)
    grown = web_memory(one_web) - before
    assert client.get(where).json()["size"] == LARGE * len(PIECE)
    [path] = [path for path in files(one_web) if where.rpartition("/")[2] in path.parts]
    assert hashlib.sha256(path.read_bytes()).digest() == digest
    print(f"an upload of {LARGE} MiB made the web processes {grown} MiB larger")
    assert grown < LARGE / 8
    assert client.request("DELETE", where).status_code == 204


def test_a_caller_that_leaves_in_the_middle_leaves_nothing(stack: Stack) -> None:
    before = set(files(stack))
    connection = begin(stack)
    for _ in range(4):
        connection.send(PIECE)
    deadline = time.monotonic() + PATIENCE
    while set(files(stack)) == before:  # the file has begun
        assert time.monotonic() < deadline
        time.sleep(0.02)
    connection.close()
    while set(files(stack)) != before:
        assert time.monotonic() < deadline, set(files(stack)) - before
        time.sleep(0.05)


@pytest.fixture
def slow_model() -> Iterator[ModelServer]:
    with ModelServer(delay=1.0) as server:
        yield server


@pytest.fixture
def own(tmp_path: Path, slow_model: ModelServer) -> Iterator[Stack]:
    settings = {
        "AGENTS": AGENTS,
        "WEB_CONCURRENCY": "1",
        "CPU_CONCURRENCY": "1",
        "OPENAI_BASE_URL": slow_model.base_url,
        "AI_MODEL": "small",
    }
    running = Stack(tmp_path, settings, only=("web", "worker-cpu"))
    running.start()
    yield running
    running.kill()


def test_a_report_goes_on_behind_the_documents_that_a_lost_worker_had_finished(
    own: Stack, slow_model: ModelServer
) -> None:
    client, engine = Client(own), engine_of(own)
    uploads = [("file", (f"{number}.txt", f"Ship {number} is launched.")) for number in range(DOCUMENTS)]
    ids = [client.post("/v1/files", files=[each]).json()["id"] for each in uploads]
    form = [("documents", (None, file_id)) for file_id in ids]
    job_id = client.post("/v1/agents/report/jobs", files=form).json()["id"]
    wait_for_documents(engine, job_id, 2)
    own.lose("worker-cpu")
    engine.redis.zadd(engine.keys.leases, {job_id: 0})  # its time passes at once
    own.spawn("worker-cpu")
    job = client.wait_for(job_id, timeout=PATIENCE)
    assert (job["status"], job["attempts"], job["error"]) == ("completed", 2, None)
    # All of them once, and once more what was being asked when the worker died.
    assert DOCUMENTS <= slow_model.stats()["answers"] <= DOCUMENTS + 1
    said = [event.data["message"] for event in engine.events(job_id) if event.type == "progress"]
    assert said[-1] == "printing"
    pages = PdfReader(BytesIO(client.get(job["artifacts"][0]["url"]).content)).pages
    text = " ".join(page.extract_text() for page in pages)
    assert all(f"{number}.txt" in text for number in range(DOCUMENTS))


def wait_for_documents(engine: Engine, job_id: str, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (job := engine.get(job_id)) is None or len(job.checkpoints) < count:
        assert time.monotonic() < deadline, job
        time.sleep(0.05)
