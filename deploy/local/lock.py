"""Write the locks: every dependency pinned with its hashes, for all platforms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deploy.local.processes import ROOT

# The libraries of agents run in workers: the web side has none of them.
AGENTS = "tasks/agents/requirements.in"
# The later ones take the versions of the first: what is tested is what runs.
LOCKS: dict[str, list[str]] = {
    "requirements.txt": ["pyproject.toml", "--extra", "worker", AGENTS],
    "requirements-web.txt": ["pyproject.toml"],
    "requirements-s3.txt": ["pyproject.toml", "--extra", "s3"],
    "requirements-otel.txt": ["pyproject.toml", "--extra", "otel"],
    "requirements-local.txt": ["pyproject.toml", "--extra", "worker", "--extra", "local", AGENTS],
    "requirements-dev.txt": [
        "pyproject.toml",
        *("--extra", "worker", "--extra", "s3", "--extra", "otel", "--extra", "local", "--extra", "dev"),
        AGENTS,
    ],
    # These have environments of their own; the clients bound versions that ours needs newer.
    "requirements-generator.txt": ["tests/support/openapi/requirements.in"],
    "requirements-clients.txt": ["tests/clients/requirements.in"],
    "benchmarks/peers/requirements.txt": ["benchmarks/peers/requirements.in"],
}
UNBOUND = ("requirements.txt", "requirements-clients.txt")
OPTIONS = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet"]


def main() -> int:
    """Write each lock. What is pinned stays as it is where it can, unless `--upgrade` is asked for."""
    uv = Path(sys.executable).with_name("uv")
    for lock, inputs in LOCKS.items():
        print(f"resolving {lock}")
        constraint = [] if lock in UNBOUND else ["--constraint", "requirements.txt"]
        command = [str(uv), "pip", "compile", *OPTIONS, *sys.argv[1:], *constraint, *inputs, "--output-file", lock]
        outcome = subprocess.run(command, cwd=ROOT, check=False)
        if outcome.returncode != 0:
            return outcome.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
