"""Answers over real sockets, from a real gunicorn with gevent workers: what was delivered, and what was not."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, Response, request

from tasks.jobs import ArtifactInfo, Job, LocalArtifacts, Status
from tests.support.timing import eventually
from webapp.http import limits, logging, problem, request_id
from webapp.http.after_response import after_response
from webapp.http.downloads import send_artifact
from webapp.http.sse import HEARTBEAT, sse_response

# Large enough that the buffers between the two ends cannot hold the half of it.
SIZE = 60 * 1024 * 1024
PIECE = os.urandom(64 * 1024)
KEY = "job-1/1/large.bin"
FOLDER = "AFTER_RESPONSE_FOLDER"
ROOT = Path(__file__).parents[2]
WAIT = 30.0

pytestmark = pytest.mark.timeout(120)


def application() -> Flask:
    """What the server serves. It is built in the server's process."""
    folder = Path(os.environ[FOLDER])
    store = LocalArtifacts(folder / "artifacts")
    app = Flask(__name__)
    logging.init_app(app)
    request_id.init_app(app)
    problem.init_app(app)
    limits.init_app(app, 1000, {})
    job = Job(1, "job-1", "agent", "cpu", "me", Status.COMPLETED, 1, 0, 60, datetime.now(UTC))
    info = ArtifactInfo("large.bin", "application/octet-stream", SIZE, KEY, 1)

    def note(delivered: bool) -> None:
        with (folder / "calls").open("a") as calls:
            calls.write(f"{delivered}\n")

    @app.route("/file", methods=["GET", "POST"])
    def file() -> Response:
        response = send_artifact(store, info, job=job, disposition="attachment", filename=info.name)
        return after_response(response, note)

    @app.get("/broken")
    def broken() -> Response:
        def body() -> Iterator[bytes]:
            yield PIECE
            raise OSError("the disk is gone")

        return after_response(Response(body(), headers={"Content-Length": str(2 * len(PIECE))}), note)

    @app.get("/unnoted")
    def unnoted() -> Response:
        def fail(delivered: bool) -> None:
            note(delivered)
            raise RuntimeError("the callback fails")

        return after_response(Response("all of it"), fail)

    @app.get("/stream")
    def stream() -> Response:
        def frames() -> Iterator[bytes]:
            while True:
                yield HEARTBEAT
                time.sleep(0.1)

        return sse_response(frames(), close=lambda: note(False))

    @app.post("/echo")
    def echo() -> bytes:
        return request.get_data()

    @app.get("/memory")
    def memory() -> str:
        return Path("/proc/self/statm").read_text().split()[1]

    return app


class Server:
    """A running gunicorn, and what its callbacks have noted."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._calls = folder / "calls"

    def calls(self) -> list[str]:
        return self._calls.read_text().split() if self._calls.exists() else []

    def forget(self) -> None:
        self._calls.unlink(missing_ok=True)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """A whole exchange on a connection of its own."""
        with closing(self.connect()) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    def send(self, request: bytes) -> bytes:
        """Everything that comes back for these bytes until the server closes."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def resident(self) -> int:
        return int(self.ask("GET", "/memory")[2]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    LocalArtifacts(folder / "artifacts").put(KEY, (PIECE for _ in range(SIZE // len(PIECE))))
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    command = [
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "--worker-class",
            "gevent",
            "--workers",
            "1",
            "--bind",
            f"127.0.0.1:{port}",
        ),
        *("--no-control-socket", "--graceful-timeout", "1", "tests.integration.test_after_response:application()"),
    ]
    environ = {**os.environ, FOLDER: str(folder)}
    with (folder / "log").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
    server = Server(port, folder)
    try:
        eventually(lambda: answers(server))
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT)


def answers(server: Server) -> bool:
    try:
        return server.ask("GET", "/memory")[0] == 200
    except OSError:
        return False


@pytest.fixture
def server(running: Server) -> Server:
    running.forget()
    return running


def drop(server: Server, path: str, after: int, method: str = "GET") -> None:
    """Ask, read some bytes and reset the connection."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT)
    connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    received = 0
    while received < after:
        received += len(connection.recv(65536))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_whole_delivery_is_seen_once(server: Server, method: str) -> None:
    status, headers, body = server.ask(method, "/file")

    assert (status, len(body), headers["Content-Length"]) == (200, SIZE, str(SIZE))
    eventually(server.calls)
    assert server.calls() == ["True"]


@pytest.mark.parametrize("after", [1, SIZE // 2])
def test_a_connection_that_is_reset_on_the_way_is_no_delivery(server: Server, after: int) -> None:
    drop(server, "/file", after)

    eventually(server.calls)
    assert server.calls() == ["False"]
    assert len(server.ask("GET", "/file")[2]) == SIZE
    eventually(lambda: len(server.calls()) == 2)
    assert server.calls() == ["False", "True"]


def test_a_client_that_stops_reading_and_leaves_is_no_delivery(server: Server) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=WAIT)) as connection:
        connection.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1000)
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)
        assert server.calls() == []

    eventually(server.calls)
    assert server.calls() == ["False"]


def test_head_is_no_delivery(server: Server) -> None:
    status, headers, body = server.ask("HEAD", "/file")

    assert (status, headers["Content-Length"], body) == (200, str(SIZE), b"")
    eventually(server.calls)
    assert server.calls() == ["False"]


def test_a_part_and_what_is_known_already_are_no_delivery(server: Server) -> None:
    status, headers, body = server.ask("GET", "/file", Range="bytes=100-199")
    assert (status, body) == (206, PIECE[100:200])
    assert server.ask("GET", "/file", **{"If-None-Match": headers["ETag"]})[0] == 304

    eventually(lambda: len(server.calls()) == 2)
    assert server.calls() == ["False", "False"]


def test_a_body_that_fails_is_no_delivery_and_the_client_sees_that_it_is_not_whole(server: Server) -> None:
    with pytest.raises(http.client.IncompleteRead):
        server.ask("GET", "/broken")

    eventually(server.calls)
    assert server.calls() == ["False"]


def test_a_callback_that_fails_spoils_neither_this_answer_nor_the_next_one(server: Server) -> None:
    with closing(server.connect()) as connection:
        for _ in range(2):
            connection.request("GET", "/unnoted")
            assert connection.getresponse().read() == b"all of it"

    eventually(lambda: len(server.calls()) == 2)
    assert server.calls() == ["True", "True"]


def test_many_at_once_are_each_seen_once(server: Server) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: drop(server, "/file", 100_000), range(20)))
        list(pool.map(lambda _: server.ask("GET", "/unnoted"), range(20)))

    eventually(lambda: len(server.calls()) == 40)
    time.sleep(0.3)
    assert sorted(server.calls()) == ["False"] * 20 + ["True"] * 20


def test_memory_stays_flat_however_much_is_sent(server: Server) -> None:
    server.ask("GET", "/file")
    before = server.resident()
    finished = threading.Event()
    samples: list[int] = []

    def sample() -> None:
        while not finished.wait(0.05):
            samples.append(server.resident())

    watching = threading.Thread(target=sample)
    watching.start()
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda _: len(server.ask("GET", "/file")[2]), range(4)))
    finished.set()
    watching.join()

    assert sizes == [SIZE] * 4
    # Four answers of 60 MB at the same time; a tenth of one of them is far more than their buffers.
    assert max(samples) - before < SIZE // 10


def test_a_stream_ends_when_its_client_leaves(server: Server) -> None:
    drop(server, "/stream", 200)

    eventually(server.calls)
    assert server.calls() == ["False"]


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"3\r\nabc\r\n0\r\n\r\n", b"411"),
        (b"zz\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"3;\x01\r\nabc\r\n0\r\n\r\n", b"400"),
        (b"3\r\nabcdef\r\n", b"400"),
    ],
)
def test_a_body_of_unknown_length_is_refused_with_one_answer(server: Server, chunks: bytes, status: bytes) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = server.send(head + chunks)

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"application/problem+json" in answer


def test_a_body_over_the_limit_is_refused(server: Server) -> None:
    status, _, body = server.ask("POST", "/echo", **{"Content-Type": "application/json"})
    assert (status, body) == (200, b"")

    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n"
    answer = server.send(head + b"x" * 1001)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_ends_early_is_refused(server: Server) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=WAIT)) as connection:
        connection.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nshort"
        )
        connection.shutdown(socket.SHUT_WR)

        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
