"""A web process: its memory, the time of its imports, and that no library of AI or PDF is among them.

It has what the web image has: the libraries of its lock alone, and sources that are compiled already.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale, ratio
from benchmarks.environment import WEB
from benchmarks.machine import children, resident
from deploy.local.processes import ROOT

HEAVY = ("numpy", "onnxruntime", "openai", "pandas", "pyarrow", "torch", "transformers", "typst")
TRIES = 5
FLASK = "import flask"
COUNT = f"import sys, webapp.factory; print(sum(name in sys.modules for name in {HEAVY!r}))"


def image(scale: Scale) -> dict[str, str]:
    """The variables that make a process find the programs and libraries of the web image, and keep what it compiles."""
    if not scale.tiny:
        WEB.make()
    programs = Path(sys.executable).parent if scale.tiny else Path(WEB.program(""))
    return {"PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]), "PYTHONDONTWRITEBYTECODE": ""}


def said(code: str, variables: Mapping[str, str]) -> str:
    command = ["/usr/bin/env", "python", "-c", code]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout


def import_ms(code: str, tries: int, variables: Mapping[str, str]) -> float:
    """Processor time of the fastest of some tries, without the interpreter's own start."""

    def once(program: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said(program, variables)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return (min(once(code) for _ in range(tries)) - min(once("") for _ in range(tries))) * 1000


@contextmanager
def _slipway(scale: Scale) -> Iterator[Measure]:
    variables = image(scale)
    with servers.web_alone({"AGENTS": "tasks.agents", "WEB_CONCURRENCY": "1", **variables}) as server:

        def measure() -> Figures:
            return {
                "import_ms": import_ms("import webapp.factory", scale.count(TRIES, 1), variables),
                "web_mib": resident(children(server.pid)[0]) / 2**20,
                "heavy": int(said(COUNT, variables)),
            }

        yield measure


@contextmanager
def _flask(scale: Scale) -> Iterator[Measure]:
    yield lambda: {"import_ms": import_ms(FLASK, scale.count(TRIES, 1), image(scale))}


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
