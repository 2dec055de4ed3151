"""Programs that tests run beside ours, each installed once from its own lock into `var/tools`."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.local.processes import ROOT
from tests.support.programs import find_program

DIRECTORY = ROOT / "var" / "tools"
OPENAPI = ROOT / "tests" / "support" / "openapi"
PATIENCE = 170  # seconds for a registry; the tests around it have less


def linter() -> list[str]:
    """The command of Redocly's linter."""
    node, npm, folder = find_program("node"), find_program("npm"), DIRECTORY / "linter"

    def install() -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(OPENAPI / name, folder)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)

    _once(folder, OPENAPI / "package-lock.json", install)
    return [node, str(folder / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js")]


def generator() -> Path:
    """The folder of programs that make a Python client, and have what such a client needs."""
    return _environment("generator")


def clients() -> Path:
    """The folder of programs that have the published clients of pipelines."""
    return _environment("clients")


def _environment(name: str) -> Path:
    folder, lock = DIRECTORY / name, ROOT / f"requirements-{name}.txt"

    def install() -> None:
        _run([sys.executable, "-m", "venv", "--without-pip", "venv"], folder)
        uv = str(Path(sys.executable).with_name("uv"))
        python = str(folder / "venv" / "bin" / "python")
        # A lock is complete: nothing is resolved.
        _run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)], folder)

    _once(folder, lock, install)
    return folder / "venv" / "bin"


def _once(folder: Path, lock: Path, install: Callable[[], None]) -> None:
    """Install once for each content of the lock."""
    stamp, digest = folder / "installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    install()
    stamp.write_text(digest)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
