"""The API as it is used: through TLS and nginx, on the real stack."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import requests

from deploy.local.stack import Stack
from tests.support.edge import Edge
from tests.support.logs import lines_about

TEXT = "Ships are launched from a ramp. A ramp is a slope into the water. Launching a ship takes a day."
PIECE = 1024 * 1024


@pytest.fixture
def session(edge: Edge, stack: Stack) -> Iterator[requests.Session]:
    with edge.session(stack.api_key) as session:
        yield session


def test_json(edge: Edge, session: requests.Session) -> None:
    answer = session.post(f"{edge.url}/ai_service", json={"param1": TEXT}, timeout=70)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Server" not in answer.headers or answer.headers["Server"] == "nginx"


def test_a_pdf(edge: Edge, session: requests.Session) -> None:
    answer = session.get(f"{edge.url}/ai_service_binary", params={"param1": TEXT}, timeout=70)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


@pytest.fixture(scope="module")
def large_file(edge: Edge, stack: Stack) -> str:
    """The path of an artifact of 100 MB."""
    with edge.session(stack.api_key) as session:
        answer = session.post(f"{edge.url}/v1/agents/write_file/run", json={"megabytes": 100}, timeout=70)
    assert answer.status_code == 200, answer.text
    return f"{edge.url}/v1/jobs/{answer.headers['X-Job-ID']}/artifacts/file.bin"


def test_a_download_of_100_mb_is_exact(large_file: str, session: requests.Session) -> None:
    expected, seen, size = hashlib.sha256(), hashlib.sha256(), 0
    for number in range(100):
        expected.update(bytes([number % 251]) * PIECE)
    with session.get(large_file, stream=True, timeout=60) as answer:
        assert answer.headers["Content-Length"] == str(100 * PIECE)
        for piece in answer.iter_content(PIECE):
            seen.update(piece)
            size += len(piece)
    assert size == 100 * PIECE
    assert seen.digest() == expected.digest()


def test_a_download_goes_on_where_it_stopped(large_file: str, session: requests.Session) -> None:
    answer = session.get(large_file, headers={"Range": f"bytes={50 * PIECE - 1}-{50 * PIECE}"}, timeout=30)
    assert answer.status_code == 206
    assert answer.content == bytes([49, 50])
    assert not answer.headers["ETag"].startswith("W/")


def test_a_download_is_not_collected_here(edge: Edge, large_file: str, session: requests.Session) -> None:
    """The application must not see a file delivered that its client has not: it may remove it then."""
    request_id = uuid.uuid4().hex
    with session.get(large_file, stream=True, headers={"X-Request-ID": request_id}, timeout=60) as answer:
        next(answer.iter_content(PIECE))
        time.sleep(1)
        # In that second nginx could have fetched all of it.
        spooled = [path for path in (edge.run_directory / "proxy").rglob("*") if path.is_file()]
    assert spooled == []
    # Far more than the sockets' buffers between the three hold is left when the client goes.
    assert int(edge.line(request_id)["bytes"]) < 50 * PIECE


def test_the_request_id_is_one_for_all(edge: Edge, stack: Stack, session: requests.Session) -> None:
    request_id = f"test.{uuid.uuid4().hex}"
    path = f"{edge.url}/ai_service"
    answer = session.get(path, params={"param1": TEXT}, headers={"X-Request-ID": request_id}, timeout=70)
    assert answer.headers["X-Request-ID"] == request_id
    line = edge.line(request_id)
    assert (line["path"], line["status"]) == ("/ai_service", "200")
    for process in ("web", "worker-io"):
        lines = lines_about(stack, process, request_id)
        assert {each["request_id"] for each in lines} == {request_id}
        assert answer.headers["X-Job-ID"] in {each.get("job_id") for each in lines}
        assert TEXT not in str(lines)


def test_a_request_id_that_is_none_is_replaced(edge: Edge, session: requests.Session) -> None:
    answer = session.get(edge.url, headers={"X-Request-ID": 'short" injected'}, timeout=10)
    assert len(answer.headers["X-Request-ID"]) == 32


def test_the_log_keeps_texts_to_itself(edge: Edge, session: requests.Session) -> None:
    session.get(f"{edge.url}/ai_service", params={"param1": "a secret text. " * 3}, timeout=70)
    session.get(f"{edge.url}/metrics", params={"param1": "a secret text"}, timeout=10)
    assert "secret" not in edge.log.read_text()


def test_slow_clients_do_not_slow_others(edge: Edge, session: requests.Session) -> None:
    with ExitStack() as opened:
        slow = [opened.enter_context(edge.connect()) for _ in range(300)]
        for number, sock in enumerate(slow):
            sock.sendall(b"POST /ai_service HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
            if number % 2:
                sock.sendall(b'Content-Length: 1000\r\n\r\n{"param1": ')
        times = [session.get(f"{edge.url}/health", timeout=30).elapsed.total_seconds() for _ in range(20)]
        assert max(times) < 8  # a web process that waited for one of them would take nginx' patience of 10 s
        # Those in the middle of a body or a header are cut off by then.
        for sock in slow[:2]:
            sock.settimeout(20)
            assert _is_cut_off(sock)


def _is_cut_off(sock: ssl.SSLSocket) -> bool:
    try:
        answer = sock.recv(65_536)
    except ConnectionResetError:
        return True
    return answer == b"" or b" 408 " in answer


def test_many_at_once(edge: Edge, stack: Stack) -> None:
    def call(number: int) -> str:
        with edge.session(stack.api_key) as session:
            answer = session.post(f"{edge.url}/v1/agents/echo/run", json={"text": f"call {number}"}, timeout=70)
        return str(json.loads(answer.content)["result"])

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(call, range(60))) == [f"call {number}" for number in range(60)]
