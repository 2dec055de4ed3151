"""Many streams at once: is anything lost, and how long does the first token take?

    python -m benchmarks.streams [--reference PYTHON] [--held 1000] [--only slipway]

Three runs against one local model server, every process on this machine:

1. 200 streams of 50 tokens at 10 tokens a second through gunicorn and one io worker;
2. the same through a FastAPI server with the official SDK (benchmarks/reference), if `--reference` names a Python that
   has its requirements (`uv venv var/reference`, then `uv pip install -p var/reference -r` its requirements.txt);
3. 1,000 streams open at once on one web process, and its connections to Redis while they are.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.stack import Stack
from tests.support.model_server import ModelServer

ROOT = Path(__file__).resolve().parents[1]
STREAMS, TOKENS, RATE = 200, 50, 10
HELD_TOKENS, HELD_RATE = 20, 1  # slow, so that all are open together and the machine has room for it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", default="", help="the Python of the reference server's environment")
    parser.add_argument("--held", type=int, default=1000)
    parser.add_argument("--only", choices=("slipway", "reference", "held"), default="")
    given = parser.parse_args()
    if given.only in ("", "slipway"):
        with ModelServer(tokens=TOKENS, rate=RATE) as model, slipway(model) as stack:
            warm_up(stack)
            pids = [process.pid for process in stack.processes.values()]
            with cpu_of(pids) as spent:
                result = load(f"{stack.url}/chat/stream", stack.api_key, STREAMS, TOKENS).result()
            show("slipway", result | spent)
    if given.reference and given.only in ("", "reference"):
        with ModelServer(tokens=TOKENS, rate=RATE) as model, reference(given.reference, model) as server:
            load(f"{server.address}/chat/stream", "", 5, TOKENS).result()
            with cpu_of([server.pid]) as spent:
                result = load(f"{server.address}/chat/stream", "", STREAMS, TOKENS).result()
            show("reference", result | spent)
    if given.only in ("", "held"):
        with ModelServer(tokens=HELD_TOKENS, rate=HELD_RATE) as model, slipway(model) as stack:
            warm_up(stack)
            # Opened over five seconds: what is asked is what they cost while they are open.
            running = load(f"{stack.url}/chat/stream", stack.api_key, given.held, HELD_TOKENS, within=5.0)
            show("held", running.result(lambda: look(stack, model)))


@contextmanager
def slipway(model: ModelServer) -> Iterator[Stack]:
    settings = {
        "RATE_LIMITS": "off",
        "WEB_CONCURRENCY": "1",
        "IO_CONCURRENCY": "1200",
        "MAX_RUNNING": "0",
        "MAX_WAITING": "0",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "none",
        "AI_MODEL": "bench",
        "LOG_LEVEL": "warning",
    }
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), settings, only=("web", "worker-io")) as stack:
        yield stack


@dataclass(frozen=True)
class Reference:
    """The reference server while it runs."""

    address: str
    pid: int


@contextmanager
def reference(python: str, model: ModelServer) -> Iterator[Reference]:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    environment = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "none", "AI_MODEL": "bench"}
    command = [python, "-m", "uvicorn", "server:app", "--port", str(port), "--log-level", "warning"]
    folder = ROOT / "benchmarks" / "reference"
    with subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}) as process:
        try:
            wait_for(port)
            yield Reference(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()


class Load:
    """A load generator while it runs."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "benchmarks.load", *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    def result(self, watch: Any = None) -> dict[str, Any]:
        """Its judgement, and the greatest of what `watch` saw meanwhile."""
        seen: dict[str, int] = {}
        while self._process.poll() is None:
            for name, value in (watch() if watch else {}).items():
                seen[name] = max(seen.get(name, 0), value)
            time.sleep(0.5)
        assert self._process.stdout is not None
        with self._process.stdout as out:
            return {**json.loads(out.read()), **seen}


def load(url: str, key: str, streams: int, tokens: int, within: float = 0.0) -> Load:
    return Load([url, f"--key={key}", f"--streams={streams}", f"--tokens={tokens}", f"--within={within}"])


def warm_up(stack: Stack) -> None:
    """A few streams first: imports, connections and scripts are not what is measured."""
    load(f"{stack.url}/chat/stream", stack.api_key, 5, TOKENS).result()


def look(stack: Stack, model: ModelServer) -> dict[str, int]:
    """The web process's connections to Redis and its memory, and how many streams the model server has open."""
    [pid] = children(stack.processes["web"].pid)
    port = int(stack.redis_url.split(":")[2].split("/")[0])
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return {
        "redis_connections": connections(pid, port),
        "open_at_once": model.stats()["active"],
        "web_mib": pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
    }


@contextmanager
def cpu_of(pids: list[int]) -> Iterator[dict[str, float]]:
    """The CPU seconds that processes and their children spend in the block: it depends little on what else runs."""
    spent: dict[str, float] = {}
    before = sum(cpu(pid) for pid in pids)
    yield spent
    spent["cpu_seconds"] = round(sum(cpu(pid) for pid in pids) - before, 2)


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu(child) for child in children(pid))


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def connections(pid: int, port: int) -> int:
    """How many TCP connections a process has to a port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{fields[9]}]" for fields in lines if int(fields[2].split(":")[1], 16) == port}
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed since
            found += str(entry.readlink()) in inodes
    return found


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def show(name: str, result: dict[str, Any]) -> None:
    print(f"{name:10}", "  ".join(f"{key}={value}" for key, value in result.items()), flush=True)


if __name__ == "__main__":
    main()
