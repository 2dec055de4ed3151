"""Every command that README and docs show is run as it stands there, in a copy of the project.

A block that cannot be run here is named in `ELSEWHERE`, with where it is run or why not.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import pytest

from deploy.local.processes import ROOT, bare_environment
from deploy.local.valkey import free_port
from tests.support.copies import Served, copy_project
from tests.support.family import Family
from tests.support.programs import find_program

PAGES = [ROOT / "README.md", ROOT / "deploy" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TIMEOUT = 90
STARTING = Lock()

# By the first line of the block.
ELSEWHERE = {
    'curl -H "X-API-Key: $API_KEY" -H "Content-Type: application/json" \\\n     -H \'Webhook:': "calls a receiver of "
    "this machine in test_webhooks.py",
    "make demo": "test_demo.py runs it; `make test` is what runs this",
    "make rename NAME=yours": "test_renamed.py runs it",
    "cp .env.example .env": "needs a container engine: tests/deploy/containers runs compose.yaml",
    "make deploy-base deploy-test": "needs a container engine, and minutes: it runs tests/deploy/containers",
    "make release": "needs a commit that says it is a release: tests/deploy/test_release.py makes one",
    "python -m deploy.kubernetes.pin production": "needs a cluster: tests/deploy/test_manifests.py pins and builds",
    "python -m deploy.backup save": "needs an empty server to restore to: tests/deploy/test_backup.py runs both",
}

# What stands before a block: a failing command ends it, so does an error as an answer, and nothing is installed.
PRELUDE = """
set -euo pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
make() { command make -o install -o install-dev "$@"; }
"""


@dataclass(frozen=True)
class Block:
    """The commands of one block, and the page that shows them."""

    page: Path
    text: str

    @property
    def elsewhere(self) -> str | None:
        return next((beginning for beginning in ELSEWHERE if self.text.startswith(beginning)), None)

    @property
    def servers(self) -> list[str]:
        """The lines that keep running; what stands behind them is run while they do."""
        return [line for line in self.text.splitlines() if "make run" in line.partition("#")[0]]

    @property
    def meanwhile(self) -> str:
        return "\n".join(line for line in self.text.splitlines() if line not in self.servers)


def blocks() -> Iterator[Block]:
    for page in PAGES:
        for text in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield Block(page, text)


def named(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}: {block.text.splitlines()[0][:60]}"


RUN_HERE = [block for block in blocks() if block.elsewhere is None]


def environment(folder: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return bare_environment() | {"PATH": path, "HOME": str(folder)} | more


def test_no_exception_is_left_over() -> None:
    assert {block.elsewhere for block in blocks()} - {None} == set(ELSEWHERE)


@pytest.mark.parametrize("block", [block for block in RUN_HERE if not block.servers], ids=named)
def test_it_does_what_it_says(block: Block, theirs: Served) -> None:
    find_program("curl")
    commands = re.sub(r"(http://)?\b(127\.0\.0\.1|localhost):8000\b", theirs.url, block.text)
    environ = environment(theirs.folder, API_KEY=theirs.key, REDIS_URL=theirs.redis_url, EXTERNAL_INFERENCE="true")
    run(commands, theirs.folder, **environ)


def run(commands: str, folder: Path, **environ: str) -> None:
    done = subprocess.run(
        ["bash", "-c", PRELUDE + commands],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"


def test_what_keeps_running_comes_up_and_stops(tmp_path: Path) -> None:
    # Nothing outside of this machine is called.
    lines = {
        re.sub(r"https://[^ /]+", "http://127.0.0.1:9", line): block.meanwhile
        for block in RUN_HERE
        for line in block.servers
    }
    # One begins when the one before it is up, since all of them ask for the same ports; they stop side by side.
    with ThreadPoolExecutor(len(lines)) as pool:
        folders = [copy_project(tmp_path / str(number)) for number in range(len(lines))]
        runs = [pool.submit(run_and_stop, *each, folder) for each, folder in zip(lines.items(), folders, strict=True)]
        for run in runs:
            run.result()


def wait_until_up(process: subprocess.Popen[bytes], output: Path) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while "Ctrl-C stops it" not in output.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def run_and_stop(line: str, meanwhile: str, folder: Path) -> None:
    family = Family()
    output = folder / "output.txt"
    environ = environment(folder, PORT=str(free_port()), WEB_CONCURRENCY="1", IO_CONCURRENCY="20", **family.mark)
    with output.open("wb") as out, STARTING:
        process = subprocess.Popen(
            ["bash", "-c", PRELUDE + line], cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        up = wait_until_up(process, output)
    try:
        assert up, output.read_text(errors="replace")
        run(meanwhile, folder, **environ)
    finally:
        for pid, command in family.alive().items():
            if "deploy.local.run" in command:
                os.kill(pid, signal.SIGTERM)
        process.wait(TIMEOUT)
    assert family.alive() == {}
