"""`make run`, as somebody starts and stops it who develops with it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from deploy.local.processes import ROOT, bare_environment
from deploy.local.valkey import free_port
from tests.support.family import Family
from tests.support.programs import find_program

START_TIMEOUT = 90.0  # seconds: the stack itself gives up after 60
STOP_TIMEOUT = 60.0  # seconds: jobs have 25 to drain, and the stack kills what is not down 15 later


class Run:
    """The program behind `make run`, with its data in a folder of the test's own."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.family = Family()
        environ = bare_environment() | {"PORT": str(self.port), "WEB_CONCURRENCY": "1", "IO_CONCURRENCY": "50"}
        self.environ = environ | self.family.mark | settings
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "deploy.local.run", str(self.directory / "var")]
        with (self.directory / "output.txt").open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def output(self) -> str:
        return (self.directory / "output.txt").read_text(errors="replace")

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while "Ctrl-C stops it" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def stop(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(STOP_TIMEOUT)

    def pid_of(self, *words: str) -> int:
        return min(pid for pid, command in self.family.alive().items() if all(word in command for word in words))

    def end(self) -> None:
        for pid in self.family.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def start(**settings: str) -> Run:
        started.append(Run(tmp_path, **settings))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_it_prints_a_fresh_key_and_commands_that_work_when_pasted(run: Callable[..., Run], tmp_path: Path) -> None:
    find_program("curl")
    running = run()
    running.wait_until_up()
    commands = re.findall(r"^  (curl .+)$", running.output, re.MULTILINE)
    assert len(commands) == 3
    answers = [subprocess.run(["sh", "-c", each], cwd=tmp_path, capture_output=True, check=True) for each in commands]
    assert answers[0].stdout.startswith(b'{"result":')
    assert (tmp_path / "result.pdf").read_bytes().startswith(b"%PDF-")
    assert b'"ai_service"' in answers[2].stdout
    assert running.stop(signal.SIGINT) == 0
    assert running.family.alive() == {}
    assert running.output.endswith("Stopped.\n")


def test_it_uses_the_port_and_the_key_it_is_given_and_shows_no_secret(run: Callable[..., Run]) -> None:
    running = run(API_KEY="a-key-of-my-own")
    running.wait_until_up()
    answer = requests.get(f"{running.url}/v1/agents", headers={"X-API-Key": "a-key-of-my-own"}, timeout=10)
    assert answer.status_code == 200
    assert requests.get(f"{running.url}/v1/agents", timeout=10).status_code == 401
    assert running.stop(signal.SIGTERM) == 0
    assert running.family.alive() == {}
    assert "a-key-of-my-own" not in running.output


def test_a_job_that_runs_when_it_is_told_to_stop_ends_first(run: Callable[..., Run]) -> None:
    running = run(API_KEY="key", AGENTS="tests.support.agents")
    running.wait_until_up()
    headers = {"X-API-Key": "key", "Prefer": "respond-async"}
    slow = {"to": 30, "pause": 0.1}
    job = requests.post(f"{running.url}/v1/agents/count/run", json=slow, headers=headers, timeout=10).headers[
        "Location"
    ]
    while requests.get(running.url + job, headers=headers, timeout=10).json()["status"] == "pending":
        time.sleep(0.05)
    assert running.stop(signal.SIGTERM) == 0
    running.start()
    running.wait_until_up()
    ended = requests.get(running.url + job, headers=headers, timeout=10).json()
    assert (ended["status"], ended["attempts"]) == ("completed", 1)


def test_after_it_was_killed_nothing_is_left_and_it_starts_again_with_its_data(run: Callable[..., Run]) -> None:
    running = run(API_KEY="key")
    running.wait_until_up()
    keyed = {"headers": {"X-API-Key": "key"}, "timeout": 30}
    job = requests.get(f"{running.url}/ai_service", params={"param1": "It keeps what it was told."}, **keyed)  # type: ignore[arg-type]
    time.sleep(1.5)  # the server's file is written out every second
    running.stop(signal.SIGKILL)
    running.family.wait_until_gone(20)
    running.start()
    running.wait_until_up()
    again = requests.get(f"{running.url}/v1/jobs/{job.headers['X-Job-ID']}", **keyed)  # type: ignore[arg-type]
    assert again.json()["status"] == "completed"


def test_a_process_that_ends_is_named_with_its_log_and_everything_stops(run: Callable[..., Run]) -> None:
    running = run()
    running.wait_until_up()
    os.kill(running.pid_of("celery", "prefork"), signal.SIGKILL)
    assert running.process.wait(STOP_TIMEOUT) == 1
    assert "worker-cpu ended by SIGKILL" in running.output
    assert str(running.directory / "var" / "log" / "worker-cpu.log") in running.output
    assert running.family.alive() == {}


def test_a_port_that_is_taken_is_said_so_and_nothing_is_started(run: Callable[..., Run]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = run(PORT=str(port))
        assert running.process.wait(START_TIMEOUT) == 1
    assert f"Port {port} is in use. Take another one: PORT=" in running.output
    assert running.family.alive() == {}


def test_a_setting_that_cannot_be_read_is_named(run: Callable[..., Run]) -> None:
    running = run(PORT="eighty")
    assert running.process.wait(START_TIMEOUT) == 1
    assert running.output.strip().startswith("PORT must be int, but is 'eighty'")
