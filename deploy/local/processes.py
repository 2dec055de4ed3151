"""Processes of the Procfile, started so that none outlives who started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from honcho.environ import parse_procfile

from deploy.local.reference import variables

ROOT = Path(__file__).resolve().parents[2]
LEASH = Path(__file__).with_name("leash.py")
TAIL = 20  # lines of a log in a message: a traceback's end, and still one screen for three processes


class StackError(RuntimeError):
    """Something did not start, run or stop. The message is for people and holds the end of the log concerned."""


def spawn(
    command: Sequence[str], *, stdout: IO[bytes], cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that Ctrl-C at the terminal reaches only us."""
    # Isolated and without site-packages: this interpreter lives for milliseconds.
    leashed = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command]
    return subprocess.Popen(
        leashed, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT, cwd=cwd, env=env,
        start_new_session=True,
    )  # fmt: skip


def procfile(path: Path = ROOT / "Procfile") -> dict[str, str]:
    """The commands of the Procfile by name."""
    return dict(parse_procfile(path.read_text()).processes)


def in_shell(command: str) -> list[str]:
    """A command of the Procfile as honcho and other process managers run it."""
    # exec: a signal reaches the process itself and not a shell around it.
    return ["/bin/sh", "-c", f"exec {command}"]


def with_programs(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with the commands of this virtual environment first, and with output that is not held back."""
    path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
    return {**environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


def bare_environment() -> dict[str, str]:
    """This process' environment without Slipway's own settings: what is started with it is the same everywhere."""
    own = variables()
    return {
        name: value
        for name, value in os.environ.items()
        if name.removesuffix("_FILE") not in own and not name.startswith("AGENT_")
    }


def tail(log: Path, lines: int = TAIL) -> str:
    """The end of a log."""
    try:
        found = log.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        found = []
    return "\n".join(f"  {line}" for line in found) or "  (nothing)"
