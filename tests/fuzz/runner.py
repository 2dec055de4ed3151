"""Run schemathesis against a stack: by its program, with every check, with a key and without one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes import ROOT
from deploy.local.stack import Stack

CONFIG = Path(__file__).with_name("schemathesis.toml")

# Nothing may stand in the way of ten thousand requests from one address.
SETTINGS = {
    "RATE_LIMITS": "off",
    "ADDRESS_LIMIT": "off",
    "FAILURE_LIMIT": "off",
    "MAX_WAITING": "0",
    "MAX_QUEUE": "0",
    "MAX_RUNNING": "0",
}


@dataclass(frozen=True)
class Outcome:
    """What a run of schemathesis came to: whether nothing was found, how much was sent, and all it said."""

    clean: bool
    sent: int
    report: str


def fuzz(stack: Stack, *, examples: int, with_key: bool, seed: int = 1, options: tuple[str, ...] = ()) -> Outcome:
    """Send requests to every operation of the stack, `examples` and more to each."""
    before = served(stack)
    key = ["--header", f"Authorization: Bearer {stack.api_key}"] if with_key else []
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file", str(CONFIG),
            "run", f"{stack.url}/openapi.json",
            "--checks", "all",
            "--max-examples", str(examples),
            "--seed", str(seed),
            # With two, now and then: "AST constructor recursion depth mismatch". Python 3.11 parses in one thread only.
            "--workers", "1",
            "--suppress-health-check", "all",
            "--generation-database", "none",
            "--continue-on-failure",
            "--no-color",
            *options,
            *key,
        ],
        capture_output=True, text=True, check=False, cwd=stack.directory, timeout=3600,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return Outcome(done.returncode == 0, served(stack) - before, done.stdout + done.stderr)


def served(stack: Stack) -> int:
    """How many requests the web server has logged."""
    return len(re.findall(r'"event":"request"', stack.log_path("web").read_text()))


def server_errors(stack: Stack) -> list[str]:
    """The lines of requests that ended with 5xx."""
    return [line for line in stack.log_path("web").read_text().splitlines() if re.search(r'"status":5\d\d', line)]
