"""Environments that are made for measuring."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes import ROOT


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds what a lock says."""

    venv: Path
    lock: Path

    def program(self, name: str) -> str:
        """The path of a program in it."""
        return str(self.venv / "bin" / name)

    def make(self) -> None:
        """Install the lock, unless it is there. Raises CalledProcessError when that fails."""
        if self._stamp.exists() and self._stamp.read_text() == self._digest():
            return
        print(f"installing {self.lock.relative_to(ROOT)} into {self.venv.relative_to(ROOT)} (once)", flush=True)
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", str(self.venv)], check=True)
        # Compiled here, as pip does: the first start would be measured with it otherwise.
        options = ["--quiet", "--compile-bytecode", "--python", str(self.venv), "--require-hashes"]
        subprocess.run([uv, "pip", "install", *options, "--requirement", str(self.lock)], check=True)
        self._stamp.write_text(self._digest())

    @property
    def _stamp(self) -> Path:
        return self.venv / ".installed"

    def _digest(self) -> str:
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()


# None of them is a dependency of the project.
PEERS = Environment(ROOT / "var" / "peers", ROOT / "benchmarks" / "peers" / "requirements.txt")
# What the web image has. Tools of development bring more along (OpenTelemetry, attrs), which libraries of ours load
# where they find it.
WEB = Environment(ROOT / "var" / "web", ROOT / "requirements-web.txt")
