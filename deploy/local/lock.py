"""Write the locks: every dependency pinned with its hashes, for all platforms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deploy.local.processes import ROOT

INPUTS = ["pyproject.toml", "tasks/agents/requirements.in"]
# The later ones take the versions of the first: what is tested is what runs.
LOCKS: dict[str, list[str]] = {
    "requirements.txt": [],
    "requirements-local.txt": ["--extra", "local"],
    "requirements-dev.txt": ["--extra", "local", "--extra", "dev"],
}


def main() -> int:
    uv = Path(sys.executable).with_name("uv")
    for lock, extras in LOCKS.items():
        print(f"resolving {lock}")
        constraint = [] if lock == "requirements.txt" else ["--constraint", "requirements.txt"]
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet"]
        command = [str(uv), "pip", "compile", *options, *constraint, *extras, *INPUTS, "--output-file", lock]
        outcome = subprocess.run(command, cwd=ROOT, check=False)
        if outcome.returncode != 0:
            return outcome.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
