"""One webhook and a receiver that is not as it should be: slow, endless, or somebody else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from urllib3.exceptions import HTTPError

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.worker import posting
from tests.support.tls import certificate, tls_proxy

SIGNED = {"webhook-id": "msg_1"}
PATIENCE = 30.0
BODY = b'{"a":1}'


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def settings(chain: tuple[Path, Path]) -> EngineSettings:
    return EngineSettings(
        webhook_secret=Secret("a secret"), webhook_allow=("127.0.0.1", "localhost"), webhook_ca_file=str(chain[0])
    )


@pytest.fixture(scope="module")
def deadlines() -> posting.Deadlines:
    found = posting.Deadlines()
    threading.Thread(target=found.run, daemon=True).start()
    return found


class Receiver:
    """Takes one connection, reads the request and answers as told; `left` is set when the caller has hung up."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.left = threading.Event()
        self.heard = b""
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            with connection:
                while not self.heard.endswith(BODY) and (piece := connection.recv(65_536)):
                    self.heard += piece
                try:
                    self._answer(connection)
                except OSError:
                    self.left.set()


def drip(connection: socket.socket) -> None:
    """Each byte is within the time of a read; all of them would take minutes."""
    for _ in range(3000):
        connection.sendall(b"H")
        time.sleep(0.05)


def never_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def redirect(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 307 Temporary\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")


Serve = Callable[[Callable[[socket.socket], None]], tuple[str, Receiver]]


@pytest.fixture(params=["http", "https"])
def serve(request: pytest.FixtureRequest, chain: tuple[Path, Path]) -> Iterator[Serve]:
    with ExitStack() as on_exit:

        def start(answer: Callable[[socket.socket], None]) -> tuple[str, Receiver]:
            receiver = Receiver(answer)
            on_exit.callback(receiver.close)
            port = receiver.port
            if request.param == "https":
                port = on_exit.enter_context(tls_proxy(port, *chain))
            return f"{request.param}://127.0.0.1:{port}/hook", receiver

        yield start


def test_a_receiver_that_answers_byte_by_byte_is_hung_up_on(
    serve: Serve, settings: EngineSettings, deadlines: posting.Deadlines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "WHOLE", 1.0)
    url, receiver = serve(drip)
    with pytest.raises((HTTPError, OSError)):
        posting.post(url, BODY, SIGNED, settings, deadlines)
    assert receiver.heard.endswith(BODY)
    assert receiver.left.wait(PATIENCE)
    assert deadlines._open == {}


def test_an_endless_answer_is_not_read(serve: Serve, settings: EngineSettings, deadlines: posting.Deadlines) -> None:
    url, receiver = serve(never_end)
    assert posting.post(url, BODY, SIGNED, settings, deadlines) == 200
    assert receiver.left.wait(PATIENCE)


def test_a_redirect_is_an_answer_and_goes_nowhere(
    serve: Serve, settings: EngineSettings, deadlines: posting.Deadlines
) -> None:
    url, _ = serve(redirect)
    assert posting.post(url, BODY, SIGNED, settings, deadlines) == 307


@pytest.mark.parametrize("case", ["unknown authority", "another name"])
def test_a_certificate_that_is_not_the_receivers_is_told_nothing(
    case: str, chain: tuple[Path, Path], settings: EngineSettings, deadlines: posting.Deadlines
) -> None:
    receiver = Receiver(redirect)
    known = settings if case == "another name" else EngineSettings(webhook_allow=("127.0.0.1",))
    host = "localhost" if case == "another name" else "127.0.0.1"  # the certificate is for the address
    with tls_proxy(receiver.port, *chain) as port, pytest.raises(HTTPError, match="certificate"):
        posting.post(f"https://{host}:{port}/", BODY, SIGNED, known, deadlines)
    receiver.close()
    assert receiver.heard == b""
