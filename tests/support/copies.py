"""The project in another folder, as somebody has it who made it theirs; what it serves is its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.processes import ROOT

MADE = shutil.ignore_patterns(
    "__pycache__", ".git", ".venv", "var", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "node_modules"
)

# Runs in the copy, so that everything it starts is the copy's.
SERVE = """
import json, pathlib, sys
from deploy.local.stack import Stack
with Stack(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])) as stack:
    print(json.dumps({"url": stack.url, "key": stack.api_key}), flush=True)
    sys.stdin.read()
"""


def copy_project(target: Path) -> Path:
    """Copy what is written, without what is made."""
    shutil.copytree(ROOT, target, ignore=MADE)
    return target


@contextmanager
def served(copy: Path, settings: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Start the stack of the copy. Gives its URL, and the header that lets one in."""
    command = [sys.executable, "-c", SERVE, str(copy / "var"), json.dumps(dict(settings))]
    with subprocess.Popen(command, cwd=copy, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        told = json.loads(process.stdout.readline())
        yield told["url"], {"X-API-Key": told["key"]}
        process.stdin.close()
        assert process.wait(60) == 0
