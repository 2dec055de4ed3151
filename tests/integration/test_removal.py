"""`/ai_service_binary` consumes its file when all of it was handed over, and only then. Over real sockets."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from deploy.local.stack import Stack
from tests.support.client import Client, engine_of, files_of_jobs
from tests.support.large_agents.ai_service_binary import content

LARGE = 60  # MiB: more than all buffers between gunicorn and a client of this machine hold
REMOVED_WITHIN = 10.0  # seconds


def serve(directory: Path, grace: str) -> Stack:
    settings = {"AGENTS": "tests.support.large_agents", "WEB_CONCURRENCY": "1", "REMOVAL_GRACE_SECONDS": grace}
    return Stack(directory, settings)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Removes at once."""
    with serve(tmp_path_factory.mktemp("hasty"), grace="0") as stack:
        yield stack


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Gives a client three seconds that says it got less than was handed over."""
    with serve(tmp_path_factory.mktemp("patient"), grace="3") as stack:
        yield stack


def wait_until_removed(client: Client, where: str) -> None:
    deadline = time.monotonic() + REMOVED_WITHIN
    while client.request("HEAD", where).status_code != 410:
        assert time.monotonic() < deadline, "the file is still there"
        time.sleep(0.05)


def drop(stack: Stack, mebibytes: int, after: int, until: Callable[[], object] = lambda: True) -> str:
    """Ask for a file, read `after` bytes of it, reset the connection when `until` holds. Returns where the file is."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=60) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET /ai_service_binary?param1={mebibytes} HTTP/1.1\r\nHost: x\r\nX-API-Key: {stack.api_key}\r\n\r\n"
        connection.sendall(head.encode())
        received = b""
        while len(received) < after:
            received += connection.recv(4096)
        deadline = time.monotonic() + REMOVED_WITHIN
        while not until():
            assert time.monotonic() < deadline, "the server has not handed it over"
            time.sleep(0.05)
        # A reset instead of an orderly end: what is still on its way is thrown away.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    lines = received.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    [where] = [line.partition(": ")[2] for line in lines if line.lower().startswith("content-location:")]
    return where.removeprefix(stack.url)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_file_that_was_delivered_whole_is_gone(hasty: Stack, method: str) -> None:
    client = Client(hasty)
    values = {"params": {"param1": "1"}} if method == "GET" else {"json": {"param1": "1"}}
    answer = client.request(method, "/ai_service_binary", **values)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'inline; filename="result.pdf"'
    assert answer.content == b"".join(content(1))
    wait_until_removed(client, answer.headers["Content-Location"].removeprefix(hasty.url))
    assert files_of_jobs(hasty) == []


def test_a_file_whose_delivery_broke_is_still_there_and_stays(hasty: Stack) -> None:
    client = Client(hasty)
    where = drop(hasty, LARGE, after=200_000)
    time.sleep(2)  # the server learns of the reset at its next write
    again = client.get(where)
    assert again.status_code == 200
    assert again.content == b"".join(content(LARGE))
    assert client.get(where).status_code == 200
    assert client.request("DELETE", where).status_code == 204
    assert client.get(where).status_code == 410


def test_a_small_file_that_looked_delivered_is_there_until_the_grace_is_over(patient: Stack) -> None:
    client, engine = Client(patient), engine_of(patient)
    # The server has handed over all of it, and cannot know that nobody read it.
    where = drop(patient, 0, after=200, until=lambda: engine.redis.zcard(engine.keys.removals))
    engine.redis.connection_pool.disconnect()
    assert client.get(where).content == b"".join(content(0))
    wait_until_removed(client, where)


def test_looking_at_a_file_removes_nothing(hasty: Stack) -> None:
    client = Client(hasty)
    where = drop(hasty, LARGE, after=200_000)
    size = len(b"".join(content(LARGE)))
    for _ in range(2):
        assert int(client.request("HEAD", where).headers["Content-Length"]) == size
        part = client.get(where, headers={"Range": "bytes=0-7"})
        assert (part.status_code, part.content) == (206, b"%PDF-1.7")
    tag = client.request("HEAD", where).headers["ETag"]
    assert client.get(where, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(where).status_code == 200
    client.request("DELETE", where)


def test_head_makes_no_job(hasty: Stack) -> None:
    answer = requests.head(
        f"{hasty.url}/ai_service_binary", params={"param1": "1"}, headers={"X-API-Key": hasty.api_key}, timeout=30
    )
    assert answer.status_code == 405
    assert "X-Job-ID" not in answer.headers
