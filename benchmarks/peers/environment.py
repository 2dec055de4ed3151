"""Make the peers' environment: `python -m benchmarks.peers.environment`. None of it is a dependency of the project."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from deploy.local.processes import ROOT

HERE = Path(__file__).parent
LOCK = HERE / "requirements.txt"
VENV = ROOT / "var" / "peers"
STAMP = VENV / ".installed"


def program(name: str) -> str:
    """The path of a program of the peers' environment."""
    return str(VENV / "bin" / name)


def is_there() -> bool:
    """Whether it holds what the lock says."""
    return STAMP.exists() and STAMP.read_text() == _digest()


def make() -> None:
    """Install the lock. Raises CalledProcessError when that fails."""
    if is_there():
        return
    print(f"installing the peers into {VENV.relative_to(ROOT)} (once; some minutes)", flush=True)
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--clear", str(VENV)], check=True)
    options = ["--quiet", "--python", str(VENV), "--require-hashes", "--requirement", str(LOCK)]
    subprocess.run([uv, "pip", "install", *options], check=True)
    STAMP.write_text(_digest())


def _digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


if __name__ == "__main__":
    make()
