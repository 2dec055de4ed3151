"""A web process: its memory, the time of its imports, and that no library of AI or PDF is among them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale, ratio
from benchmarks.machine import children, resident
from deploy.local.processes import ROOT

HEAVY = ("numpy", "onnxruntime", "openai", "pandas", "pyarrow", "torch", "transformers", "typst")
TRIES = 5
FLASK = "import flask"
COUNT = f"import sys, webapp.factory; print(sum(name in sys.modules for name in {HEAVY!r}))"


def import_ms(code: str, tries: int) -> float:
    """The fastest of some tries, without the interpreter's own start: what makes one slower comes from outside."""

    def once(program: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
        return time.perf_counter() - started

    return (min(once(code) for _ in range(tries)) - min(once("") for _ in range(tries))) * 1000


@contextmanager
def _slipway(scale: Scale) -> Iterator[Measure]:
    with servers.slipway({"AGENTS": "tasks.agents"}, only=("web",)) as server:

        def measure() -> Figures:
            return {
                "import_ms": import_ms("import webapp.factory", scale.count(TRIES, 1)),
                "web_mib": resident(children(server.pid)[0]) / 2**20,
                "heavy": int(
                    subprocess.run([sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, check=True).stdout
                ),
            }

        yield measure


@contextmanager
def _flask(scale: Scale) -> Iterator[Measure]:
    yield lambda: {"import_ms": import_ms(FLASK, scale.count(TRIES, 1))}


CASE = Case(
    "start",
    "a web process that has just started",
    (Contender(FLASK, _flask), Contender(SLIPWAY, _slipway)),
    (
        Goal("memory", lambda each: each[SLIPWAY]["web_mib"], 70, 60, at_most=True, unit=" MiB"),
        Goal("import webapp against import flask", ratio("import_ms", SLIPWAY, FLASK), 3, at_most=True, unit="×"),
        Goal("libraries of AI or PDF", lambda each: each[SLIPWAY]["heavy"], 0, at_most=True),
    ),
    plot="import_ms",
)
