"""Make `.venv` and install a lock into it: `python3 -m deploy.local.install requirements-local.txt`.

Runs on the machine's own Python, so it imports the standard library only. What is installed already is left alone.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.steps import Step

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = ROOT / "var" / "log" / "install.log"
TAIL = 15  # lines of pip's output that are shown when it fails: the reason stands at the end

NO_VENV = """\
This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv.
Or name another Python: make PYTHON=/path/to/python3.12 …"""


def main(lock_name: str) -> int:
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        print(f"Slipway needs Python 3.11 or newer; this is {found}. Try: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    lock = ROOT / lock_name
    stamp = VENV / f".{lock.stem}.installed"
    # By content and not by date: a checkout touches files without changing them.
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == digest:
        return 0
    if not _works(PYTHON) and not _make_venv():
        return 1
    if not _install(lock):
        print(f"The installation failed; the end of {LOG.relative_to(ROOT)}:", file=sys.stderr)
        print("\n".join(LOG.read_text(errors="replace").splitlines()[-TAIL:]), file=sys.stderr)
        return 1
    stamp.write_text(digest)
    return 0


def _works(python: Path) -> bool:
    """Whether there is an environment that has pip: its Python may have been removed, its making interrupted."""
    try:
        return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make_venv() -> bool:
    with Step(f"making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}"):
        try:
            import venv  # noqa: PLC0415 - some distributions leave it out

            venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(VENV)
        except (ImportError, OSError, subprocess.CalledProcessError):
            shutil.rmtree(VENV, ignore_errors=True)
    if not PYTHON.exists():
        print(NO_VENV, file=sys.stderr)
    return PYTHON.exists()


def _install(lock: Path) -> bool:
    """Run pip, its output in a log, its progress on one line."""
    wanted = sum("==" in line for line in lock.read_text().splitlines() if line[:1].isalnum())
    LOG.parent.mkdir(parents=True, exist_ok=True)
    # Wheels only: nothing is compiled here, and no package's own program runs.
    options = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off", "PIP_NO_INPUT": "1"}
    command = [str(PYTHON), "-m", "pip", "install", *options]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ)
    with LOG.open("w") as log, Step(f"installing {wanted} packages") as step, pip:
        assert pip.stdout is not None
        seen = 0
        for line in pip.stdout:
            log.write(line)
            log.flush()
            seen += line.startswith(("Collecting", "Requirement already satisfied"))
            step.state = "(unpacking)" if line.startswith("Installing") else f"({min(seen, wanted)} found)"
    return pip.returncode == 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says that Ctrl-C ended it
