"""A small OpenAI-compatible model server for tests and benchmarks: real HTTP, its own process, faults on demand.

    python -m tests.support.model_server --port 0 --key secret --delay 1 --rate 10 --tokens 100

prints the port it listens on. It answers `POST /v1/chat/completions` (plain and streamed) and `GET /v1/models`.
Without `--tokens` it echoes: the answer is made of the messages and the parameters, so that a change of either shows.

How a request is answered can be changed for that request alone, in the name of its model, or for all from then on with
`POST /_control`; both know the options of `Behaviour`:

    "any-name;delay=2;tokens=50;rate=20"            a slow model
    "any-name;fault=429;times=2;retry_after=1"      refuses twice, then answers (counted for each such name)
    {"fault": "cut", "times": 1}                    cuts the next answer off in the middle

`GET /_stats` tells what happened; `POST /_reset` forgets it, and what `/_control` said. It is a bare HTTP/1.1 server on
gevent sockets: lean enough to load a worker with hundreds of streams from a part of one core, and near enough to the
socket to break an answer anywhere. Tests start it with `ModelServer`.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import gevent
import orjson
import urllib3
from gevent.server import StreamServer

from tests.support.model_answers import make_answer
from tests.support.model_wire import (
    BrokenAnswerError,
    Request,
    break_off,
    pause,
    read_request,
    send,
    send_plain,
    send_stream,
)

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Behaviour:
    """How a request is answered."""

    delay: float = 0.0  # seconds before the first byte of the answer
    company: int = 0  # how many requests there must be at the same time before one is answered
    rate: float = 0.0  # tokens a second in a stream; 0: as fast as it goes
    tokens: int = 0  # words of the answer; 0: the echo
    # A status (429, 500, …); or `hang` (no answer), `drop` (closed without an answer), `cut` and `reset` (in the
    # middle), `garbage`, `error` (an error object), `no_usage`, `no_done` (no [DONE]), `no_end` (no finish_reason
    # either), `unframed` (CRLF lines until the connection closes), `linger` (never ends behind [DONE]), `filter`,
    # `html`, `huge` (a line of 3 MB).
    fault: str = ""
    times: int = 0  # how many requests meet the fault, before the others are answered; 0: all
    retry_after: str = ""  # header of a refusal

    def change(self, options: dict[str, Any]) -> Behaviour:
        """Return it with some options changed; the values may be strings."""
        kinds = {name: type(value) for name, value in asdict(self).items()}
        return replace(self, **{name: kinds[name](value) for name, value in options.items()})


@dataclass
class Stats:
    """What happened since the start or the last reset."""

    requests: int = 0  # to /v1
    answers: int = 0  # sent whole
    refused: int = 0
    broken: int = 0  # by a fault in the middle
    gone: int = 0  # clients that left before the end
    active: int = 0
    peak: int = 0
    connections: int = 0
    last: dict[str, Any] = field(default_factory=dict)  # the latest request for a completion
    traceparent: str = ""  # of that request


class Application:
    """Answers requests, and remembers what it was told about faults."""

    def __init__(self, base: Behaviour, key: str) -> None:
        self.base = self.behaviour = base
        self.key = key
        self.stats = Stats()
        self.met: Counter[str] = Counter()

    def serve(self, sock: socket.socket, _address: object) -> None:
        """Answer the requests of one connection until either side has enough."""
        self.stats.connections += 1
        try:
            # A stream of small pieces must not wait for the client's acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = sock.makefile("rb")
            while request := read_request(reader):
                self._answer(sock, request)
        except BrokenAnswerError:
            self.stats.broken += 1
        except OSError:
            self.stats.gone += 1
        finally:
            sock.close()

    def _answer(self, sock: socket.socket, request: Request) -> None:
        if request.path.startswith("/_"):
            send(sock, 200, self._manage(request))
            return
        self.stats.requests += 1
        self.stats.active += 1
        self.stats.peak = max(self.stats.peak, self.stats.active)
        try:
            self._answer_api(sock, request)
        finally:
            self.stats.active -= 1

    def _manage(self, request: Request) -> bytes:
        if request.path == "/_reset":
            self.stats = Stats(active=self.stats.active)
            self.behaviour = self.base
            self.met.clear()
        elif request.path == "/_control":
            self.behaviour = self.base.change(orjson.loads(request.body))
            self.met.clear()
        return orjson.dumps(asdict(self.stats))

    def _answer_api(self, sock: socket.socket, request: Request) -> None:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.key and sent != self.key:
            self._refuse(sock, 401, f"Incorrect API key provided: {sent}")
        elif request.path == "/v1/models":
            send(sock, 200, b'{"object":"list","data":[{"id":"echo","object":"model"},{"id":"slow","object":"model"}]}')
        elif request.path == "/v1/chat/completions":
            self.stats.traceparent = request.headers.get("traceparent", "")
            self._complete(sock, orjson.loads(request.body))
        else:
            self._refuse(sock, 404, f"Unknown path {request.path}")

    def _refuse(self, sock: socket.socket, status: int, message: str, retry_after: str = "") -> None:
        self.stats.refused += 1
        body = orjson.dumps({"error": {"message": message, "type": "test", "code": None}})
        send(sock, status, body, {"Retry-After": retry_after} if retry_after else {})

    def _complete(self, sock: socket.socket, asked: dict[str, Any]) -> None:
        self.stats.last = asked
        behaviour = self._choose(asked["model"])
        while self.stats.peak < behaviour.company:
            pause(sock, 0.02)
        pause(sock, behaviour.delay)
        fault = behaviour.fault
        if fault.isdigit():
            self._refuse(sock, int(fault), "as it was told to", behaviour.retry_after)
            return
        if fault in {"hang", "drop"}:
            break_off(sock, hang=fault == "hang")
        answer = make_answer(asked, behaviour.tokens, fault)
        if asked.get("stream"):
            send_stream(sock, answer, fault, behaviour.rate)
        else:
            send_plain(sock, answer, fault)
        self.stats.answers += 1

    def _choose(self, model: str) -> Behaviour:
        """Find out how to answer: as told, then as the model's name says, without a fault that has had its times."""
        options = dict(option.split("=", 1) for option in model.split(";")[1:])
        behaviour = self.behaviour.change(options)
        counted = model if "fault" in options else ""
        self.met[counted] += 1
        spent = behaviour.times and self.met[counted] > behaviour.times
        return replace(behaviour, fault="") if spent else behaviour


class ModelServer:
    """The server in a process of its own, for the length of a `with` block; takes the options of `Behaviour`."""

    def __init__(self, *, port: int = 0, key: str = "", **behaviour: Any) -> None:
        self.key = key
        options = {"port": port, "key": key, **behaviour}
        self._arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self._http = urllib3.PoolManager()

    def __enter__(self) -> ModelServer:
        command = [sys.executable, "-m", "tests.support.model_server", *self._arguments]
        self._process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process. Safe to call twice."""
        self._process.terminate()
        self._process.communicate()

    def stats(self) -> dict[str, Any]:
        """Return what happened since the last reset."""
        return self._ask("GET", "/_stats")

    def control(self, **behaviour: Any) -> None:
        """Answer differently from now on."""
        self._ask("POST", "/_control", orjson.dumps(behaviour))

    def reset(self) -> None:
        """Forget what happened and what `control` said."""
        self._ask("POST", "/_reset")

    def _ask(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        answer: dict[str, Any] = orjson.loads(self._http.request(method, self.url + path, body=body).data)
        return answer


def main() -> None:
    """Serve until the process that started this one is gone, or a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="", help="the key that every request must bring; empty: none")
    for name, value in asdict(Behaviour()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    given = vars(parser.parse_args())
    port, key = given.pop("port"), given.pop("key")
    server = StreamServer(("127.0.0.1", port), Application(Behaviour(**given), key).serve, backlog=1024)
    server.start()
    print(server.server_port, flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        gevent.sleep(1)


if __name__ == "__main__":
    main()
