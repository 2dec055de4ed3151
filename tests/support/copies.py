"""The project in another folder, as somebody has it who made it theirs; what it serves is its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes import ROOT

NEWCOMER = Path(__file__).with_name("newcomer")
MADE = shutil.ignore_patterns(
    "__pycache__", ".git", ".venv", "var", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "node_modules"
)

# Runs in the copy, so that everything it starts is the copy's.
SERVE = """
import json, pathlib, sys
from deploy.local.stack import Stack
with Stack(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])) as stack:
    told = {"url": stack.url, "key": stack.api_key, "redis_url": stack.redis_url}
    print(json.dumps(told), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Served:
    """A copy whose stack is up."""

    folder: Path
    url: str
    key: str
    redis_url: str

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key}


def copy_project(target: Path) -> Path:
    """Copy what is written, without what is made; its virtual environment is the one of the tests."""
    shutil.copytree(ROOT, target, ignore=MADE)
    (target / ".venv").symlink_to(sys.prefix)
    return target


def add_agents(copy: Path) -> None:
    """Put a newcomer's agents where agents are: those of the tests, and those that README and guide show."""
    room = copy / "tasks" / "agents"
    for path in NEWCOMER.glob("[!_]*.py"):
        shutil.copy(path, room)
    guide = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    for name, code in re.findall(r"```python\n# tasks/agents/(\w+\.py)\n(.*?)```", guide, re.DOTALL):
        (room / name).write_text(code, encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [(name, code)] = re.findall(r"`tasks/agents/(\w+\.py)`.*?```python\n(.*?)```", readme, re.DOTALL)
    (room / name).write_text(code, encoding="utf-8")


@contextmanager
def served(copy: Path, settings: Mapping[str, str]) -> Iterator[Served]:
    """Start the stack of the copy."""
    command = [sys.executable, "-c", SERVE, str(copy / "var"), json.dumps(dict(settings))]
    with subprocess.Popen(command, cwd=copy, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Served(copy, **json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.wait(60) == 0
