"""The load generator, started from here: the same client for everybody, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from benchmarks.case import Figures
from benchmarks.servers import Server
from benchmarks.wire import Connection
from deploy.local.processes import ROOT

PATIENCE = 120.0  # seconds


class LoadError(RuntimeError):
    """What came back was not what was asked for."""


def start(kind: str, url: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start a load; see `benchmarks/load.py` for its options."""
    flags = [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items() if value != ""]
    command = [sys.executable, "-m", "benchmarks.load", kind, url, *flags]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def result(load: subprocess.Popen[bytes]) -> Figures:
    """Wait for its end. Raises `LoadError` when a request failed: a figure with failures in it says nothing."""
    out, _ = load.communicate()
    if load.returncode != 0:
        raise LoadError("the load generator failed")
    figures: dict[str, Any] = json.loads(out)
    errors = figures.pop("errors")
    if figures["failed"]:
        raise LoadError(f"{figures['failed']} requests failed: {errors}")
    return figures


def requests(url: str, **options: Any) -> Figures:
    """Ask as fast as it answers."""
    figures = result(start("requests", url, **options))
    return {name: figures[name] for name in ("rate", "p50_ms", "p99_ms")}


def requests_to(server: Server, path: str, **options: Any) -> Figures:
    """The same, with the milliseconds of processor time that the server spends on each."""
    before = server.processor_seconds()
    figures = result(start("requests", server.url + path, key=server.key, **options))
    spent = (server.processor_seconds() - before) / max(figures["answered"], 1)
    return {name: figures[name] for name in ("rate", "p50_ms", "p99_ms")} | {"cpu_ms": spent * 1000}


def once(server: Server, path: str, body: bytes) -> bytes:
    """One request by itself, which is not measured."""
    with closing(Connection(server.url + path, {"X-API-Key": server.key}, PATIENCE)) as connection:
        return connection.ask("POST", body)


def streams(url: str, **options: Any) -> Figures:
    """Read streams."""
    return result(start("streams", url, **options))


@contextmanager
def holding(url: str, **options: Any) -> Iterator[None]:
    """Keep streams open while the block runs."""
    load = start("hold", url, **options)
    assert load.stdout is not None
    try:
        if load.stdout.readline().strip() != b"open":
            raise LoadError("the streams could not be opened")
        yield
    finally:
        load.kill()
        load.communicate()
