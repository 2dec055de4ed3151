"""A report through the whole way, beside its bare printing; and a large file down."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale
from benchmarks.client import once, requests
from benchmarks.machine import children, resident
from benchmarks.servers import Server
from deploy.local.processes import ROOT

TEXT = (ROOT / "deploy" / "local" / "sample.txt").read_text()
PRINTING = "the printing alone"
MEBIBYTES = 100
PIECE = 64 * 1024


@contextmanager
def _printing(scale: Scale) -> Iterator[Measure]:
    from tasks.agents.ai_service_binary import ai_service_binary
    from tasks.sdk.testing import FakeContext
    from tasks.worker.pdf import render_report

    context = FakeContext()
    ai_service_binary(context, TEXT)
    report = context.reports["result.pdf"]

    def once() -> float:
        started = time.perf_counter()
        render_report(report)
        return (time.perf_counter() - started) * 1000

    yield lambda: {"p50_ms": statistics.median(once() for _ in range(scale.count(30, 2)))}


@contextmanager
def _report(scale: Scale) -> Iterator[Measure]:
    with servers.slipway(only=("web", "worker-cpu")) as server:
        body = json.dumps({"param1": TEXT})
        options = {"clients": 1, "seconds": scale.pick(4.0, 0.5), "warm": scale.pick(1.5, 0.0)}
        yield lambda: requests(f"{server.url}/ai_service_binary", key=server.key, body=body, **options)


REPORT = Case(
    "pdf",
    "a report as PDF, one client",
    (Contender(PRINTING, _printing), Contender(SLIPWAY, _report)),
    (
        Goal(
            "over the printing alone",
            lambda each: each[SLIPWAY]["p50_ms"] - each[PRINTING]["p50_ms"],
            20,
            10,
            at_most=True,
            unit=" ms",
        ),
    ),
    plot="p50_ms",
)


class Watched:
    """The most memory that a process has while a block runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self.most = 0

    def __enter__(self) -> Watched:
        self.before = resident(self._pid)
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()

    @property
    def grown(self) -> float:
        return max(self.most - self.before, 0) / 2**20

    def _look(self) -> None:
        while not self._over.wait(0.005):
            self.most = max(self.most, resident(self._pid))


def download(server: Server, path: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.request("GET", path, headers={"X-API-Key": server.key})
    answer, size = connection.getresponse(), 0
    while piece := answer.read(PIECE):
        size += len(piece)
    connection.close()
    return size


@contextmanager
def _large(scale: Scale) -> Iterator[Measure]:
    with servers.slipway({"WEB_CONCURRENCY": "1"}) as server:
        mebibytes = scale.count(MEBIBYTES, 2)
        job = json.loads(once(server, "/v1/agents/large/run", json.dumps({"mebibytes": mebibytes}).encode()))
        path = f"/v1/jobs/{job['id']}/artifacts/large.bin"
        download(server, path)  # what the first one loads is no growth

        def measure() -> Figures:
            started = time.perf_counter()
            with Watched(children(server.pid)[0]) as web:
                size = download(server, path)
            assert size == mebibytes * 2**20
            return {"grown_mib": web.grown, "mib_per_s": mebibytes / (time.perf_counter() - started)}

        yield measure


LARGE = Case(
    "pdf-large",
    "an artifact of 100 MiB down",
    (Contender(SLIPWAY, _large),),
    (Goal("memory of the web process grows", lambda each: each[SLIPWAY]["grown_mib"], 16, at_most=True, unit=" MiB"),),
    plot="mib_per_s",
)
