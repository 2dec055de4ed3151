"""The stack of the Procfile on ports of its own: what the demo shows, `make run` keeps up and the tests use."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import redis

from deploy.local.processes import StackError, bare_environment, in_shell, procfile, spawn, tail, with_programs
from deploy.local.valkey import Server, Valkey, free_port
from tasks.jobs.environment import load
from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from tasks.worker.settings import WorkerSettings

__all__ = ["Stack", "StackError", "web_is_ready"]

READY_TIMEOUT = 60.0  # seconds: two busy cores import Celery and Flask four times
# Seconds that a process may take to end after the time its jobs have: it hands them back and closes what it opened.
# The web server's own limit (30) is below the sum, too.
STOP_MARGIN = 15.0
LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what a server listens on is not where to reach it


class Stack:
    """Valkey, web and workers under `directory`. Use it as a context manager.

    `settings` go to every process. `environ` is what the processes inherit besides; without it, this process'
    environment freed of Slipway's own settings. `only` names the processes of the Procfile that are wanted.
    """

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, str] | None = None,
        only: tuple[str, ...] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        valkey_port: int = 0,
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.host = host
        self.url = f"http://{LOOPBACK if host in EVERY_ADDRESS else host}:{self.port}"
        self.api_key = secrets.token_urlsafe(24)
        self.artifacts_dir = directory / "artifacts"
        self.valkey: Server = Valkey(directory / "valkey", valkey_port or free_port())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.metrics_ports: dict[str, int] = {}
        self._environ = bare_environment() if environ is None else environ
        self._settings = dict(settings or {})
        self.names = only if only is not None else tuple(procfile())

    @property
    def redis_url(self) -> str:
        return self.valkey.url

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "REDIS_URL": self.redis_url,
            "HOST": self.host,
            "PORT": str(self.port),
            "API_KEY": self.api_key,
            "ARTIFACTS_DIR": str(self.artifacts_dir),
            "EXTERNAL_INFERENCE": "true",  # on one's own machine there is no other way in
            "ALIVE_DIR": str(self.directory / "alive"),
            "METRICS_DIR": str(self.directory / "metrics"),
            "PUBLIC_BASE_URL": self.url,
        }
        return with_programs({**self._environ, **own, **self._settings})

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and wait until it can work."""
        try:
            self.valkey.start()
            for name in self.names:
                self.spawn(name)
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def spawn(self, name: str, as_name: str = "", **settings: str) -> subprocess.Popen[bytes]:
        """Start one process of the Procfile, a second one under another name if asked to."""
        command = procfile()[name]
        if as_name:
            command = command.replace("@%h", f"-{as_name}@%h")
        if "METRICS_PORT" not in settings:
            settings |= self._metrics_port(as_name or name)
        log = self.log_path(as_name or name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            process = spawn(in_shell(command), stdout=out, env=self.environment | settings)
        self.processes[as_name or name] = process
        return process

    def _metrics_port(self, name: str) -> dict[str, str]:
        """One for each process of this machine: web has the one of the settings, the others those behind it."""
        first = load(MetricsSettings, self.environment).port
        if not first:
            return {}
        free = next(port for port in count(first) if port not in self.metrics_ports.values())
        return {"METRICS_PORT": str(self.metrics_ports.setdefault(name, free))}

    def wait_until_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until web answers and every worker has been heard of."""
        if "web" in self.processes:
            self.wait_for("the web server", lambda: web_is_ready(self.url), timeout)
        workers = [name for name in self.processes if name != "web"]
        self.wait_for("the workers", lambda: self._count_workers() >= len(workers), timeout)

    def wait_for(self, what: str, condition: Callable[[], bool], timeout: float) -> None:
        """Wait for a condition. A process that ended meanwhile is an error at once."""
        deadline = time.monotonic() + timeout
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                tails = "\n".join(f"{name}:\n{self.log_tail(name)}" for name in self.processes)
                raise StackError(f"{what} did not get ready in {timeout:.0f} s\n{tails}")
            time.sleep(0.05)

    def check(self) -> None:
        """Raise StackError when a process has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                log = self.log_path(name)
                raise StackError(f"{name} ended {_told(process.returncode)}; the end of {log}:\n{tail(log)}")
        if not self.valkey.running:
            raise StackError(f"Valkey ended by itself; its log is in {self.directory / 'valkey'}")

    def stop(self) -> None:
        """Drain web and workers while Valkey is there for them, then stop Valkey."""
        try:
            for process in self.processes.values():
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + load(WorkerSettings, self.environment).drain + STOP_MARGIN
            for name, process in self.processes.items():
                self._wait(name, process, deadline)
            self.valkey.stop()
        finally:
            self.kill()

    def lose(self, name: str) -> None:
        """Kill one process and its children, as a machine that goes down does."""
        _kill_group(self.processes.pop(name))
        self.metrics_ports.pop(name, None)

    def kill(self) -> None:
        """End whatever still runs, with its children."""
        for process in self.processes.values():
            _kill_group(process)
        self.valkey.kill()

    def log_path(self, name: str) -> Path:
        return self.directory / "log" / f"{name}.log"

    def log_tail(self, name: str) -> str:
        return tail(self.log_path(name))

    def _wait(self, name: str, process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise StackError(f"{name} did not stop in time, and was killed:\n{self.log_tail(name)}") from None

    def _count_workers(self) -> int:
        settings = load(EngineSettings, self.environment)
        keys = map(Keys(settings.namespace).workers, settings.queues)
        with redis.Redis.from_url(self.redis_url) as client:
            return sum(client.zcard(key) for key in keys)


def web_is_ready(url: str) -> bool:
    """Ask the web server at this address."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _told(returncode: int) -> str:
    return f"by {signal.Signals(-returncode).name}" if returncode < 0 else f"with exit code {returncode}"


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children; it leads a group of its own."""
    # Some systems refuse to signal a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
