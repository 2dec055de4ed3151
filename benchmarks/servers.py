"""The servers that are compared, each started anew and alone in its folder."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import environment
from benchmarks.machine import descendants, processor_seconds
from deploy.local.processes import ROOT, spawn, tail
from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port
from tests.support.model_server import ModelServer

# Neither side writes a line for each request, and nobody is sent away for asking too often.
SETTINGS = {
    "AGENTS": "tasks.agents,benchmarks.agents",
    "RATE_LIMITS": "off",
    "ADDRESS_LIMIT": "off",
    "MAX_QUEUE": "0",
    "MAX_WAITING": "0",
    "MAX_RUNNING": "0",
    "MAX_STREAMS": "0",
    "IO_CONCURRENCY": "1200",
    "LOG_LEVEL": "warning",
}
READY = 90.0  # seconds
PEERS = ROOT / "benchmarks" / "peers"
program = environment.PEERS.program


def provider(model: ModelServer | None) -> dict[str, str]:
    """Where text comes from, as Slipway and its peers read it from the environment."""
    if model is None:
        return {"OPENAI_API_KEY": "none"}
    return {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "none", "AI_MODEL": "bench"}


@dataclass(frozen=True)
class Server:
    """A server that is up."""

    url: str
    key: str = ""  # that it wants to see
    pid: int = 0
    redis_url: str = ""
    others: tuple[int, ...] = ()  # its processes beside that one, each with its children

    @property
    def redis(self) -> int:
        """The port of its Redis, 0 without one."""
        return urlsplit(self.redis_url).port or 0

    def processor_seconds(self) -> float:
        """What all of it has spent so far: it depends far less than time on what else the machine does."""
        return sum(map(processor_seconds, (self.pid, *self.others)))


# How a server is started that is given a model server, or none where it needs none.
Opener = Callable[[ModelServer | None], AbstractContextManager[Server]]


@contextmanager
def slipway(
    settings: Mapping[str, str] | None = None, only: tuple[str, ...] = ("web", "worker-io"), workers: int = 1
) -> Iterator[Server]:
    """Slipway as `make run` starts it, with some io workers."""
    with _stack(settings, only) as stack:
        for number in range(2, workers + 1):
            stack.spawn("worker-io", f"worker-io-{number}")
        stack.wait_until_ready()
        assert isinstance(stack.valkey, Valkey)
        others = [process.pid for name, process in stack.processes.items() if name != "web"]
        yield Server(stack.url, stack.api_key, stack.processes["web"].pid, stack.redis_url, (*others, stack.valkey.pid))


@contextmanager
def _stack(settings: Mapping[str, str] | None, only: tuple[str, ...]) -> Iterator[Stack]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), {**SETTINGS, **(settings or {})}, only) as stack:
        yield stack


@contextmanager
def web_alone(settings: Mapping[str, str]) -> Iterator[Server]:
    """The web side of Slipway with Redis, the web server being that of the `PATH` in the settings."""
    with _stack(settings, ()) as stack:
        stack.spawn("web", **settings)
        stack.wait_until_ready()
        yield Server(stack.url, stack.api_key, stack.processes["web"].pid)


def slipway_with(model: ModelServer | None) -> AbstractContextManager[Server]:
    """Slipway with a model server behind it."""
    return slipway(provider(model))


@contextmanager
def the_model_itself(model: ModelServer | None) -> Iterator[Server]:
    """No server in between: the limit of what can be had."""
    assert model is not None
    yield Server(model.url, pid=model._process.pid)


@contextmanager
def valkey() -> Iterator[Valkey]:
    """A server of state with Slipway's settings."""
    with tempfile.TemporaryDirectory() as folder:
        server = Valkey(Path(folder), free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def process(command: Sequence[str], port: int, environment: Mapping[str, str], cwd: Path = ROOT) -> Iterator[int]:
    """A process; with a `port`, once it listens there. Gives its id."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            started = spawn(command, stdout=out, cwd=cwd, env={**os.environ, **environment})
        try:
            if port:
                _wait_for(port, log)
            yield started.pid
        finally:
            family = descendants(started.pid)
            os.killpg(started.pid, signal.SIGKILL)
            for pid in family:  # BentoML's have sessions of their own, and would be beside all that is measured later
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            started.wait()


@contextmanager
def bare(_: ModelServer | None = None, *, workers: int = 2) -> Iterator[Server]:
    """Slipway's web server with a bare Flask application in it, and no job: the limit of an answer over HTTP."""
    port = free_port()
    options = ["--worker-class=gevent", "--worker-connections=5000", f"--workers={workers}"]
    command = [sys.executable, "-m", "gunicorn", *options, f"--bind=127.0.0.1:{port}", "benchmarks.bare:app"]
    with process(command, port, {}) as pid:
        yield Server(f"http://127.0.0.1:{port}", pid=pid)


@contextmanager
def _peer(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """A peer's server. `{port}` in the arguments is where it is to listen."""
    port = free_port()
    command = [program(name), *(each.format(port=port) for each in arguments)]
    # What it starts itself is found in its own environment, and it tells nobody that it runs.
    path = os.pathsep.join([str(Path(program(name)).parent), os.environ.get("PATH", os.defpath)])
    own = {"PATH": path, "PYTHONPATH": str(PEERS), "BENTOML_DO_NOT_TRACK": "True"}
    with process(command, port, own | dict(environment), PEERS) as pid:
        yield Server(f"http://127.0.0.1:{port}", pid=pid)


def _fastapi(module: str, model: ModelServer | None) -> AbstractContextManager[Server]:
    return _peer("uvicorn", [f"{module}:app", "--port={port}", "--log-level=warning"], provider(model))


def tutorial(model: ModelServer | None) -> AbstractContextManager[Server]:
    """The tutorial's server as it is written, in one process of uvicorn as tutorials start it."""
    return _fastapi("tutorial", model)


def corrected(model: ModelServer | None) -> AbstractContextManager[Server]:
    """The same, corrected."""
    return _fastapi("corrected", model)


@contextmanager
def template(model: ModelServer | None = None, *, worker: bool = True) -> Iterator[Server]:
    """Flask and Celery as they are usually put together: two web processes with threads, one child a core."""
    with valkey() as redis, ExitStack() as stack:
        environment = {"REDIS_URL": redis.url, "PYTHONPATH": str(PEERS), **provider(model)}
        others = [redis.pid]
        if worker:
            work = [program("celery"), "--app=template:celery", "worker", "--concurrency=2", "--loglevel=warning"]
            others.append(stack.enter_context(process(work, 0, environment, PEERS)))
        web = ["--workers=2", "--threads=16", "--bind=127.0.0.1:{port}", "template:app"]
        yield replace(stack.enter_context(_peer("gunicorn", web, environment)), others=tuple(others))


def litserve_chat(model: ModelServer | None) -> AbstractContextManager[Server]:
    """LitServe, its `predict` asynchronous."""
    return _peer("python", ["lit.py", "chat", "{port}"], provider(model))


def litserve_noop(_: ModelServer | None = None) -> AbstractContextManager[Server]:
    """LitServe with nothing to do."""
    return _peer("python", ["lit.py", "noop", "{port}"], {})


def litserve_batches(file: Path, size: int, delay: float) -> AbstractContextManager[Server]:
    """LitServe with an ONNX model, whose requests it gathers in batches."""
    return _peer("python", ["lit.py", "batches", "{port}"], {"MODEL": str(file), "BATCH": f"{size} {delay}"})


def bentoml(model: ModelServer | None = None) -> AbstractContextManager[Server]:
    """BentoML."""
    return _peer("bentoml", ["serve", "bento:Bench", "--port={port}"], provider(model))


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + READY
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"A server did not start:\n{tail(log)}") from None
            time.sleep(0.1)
        else:
            return
