"""Told to stop: web and workers end in bounded time, and what they had goes on elsewhere."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import Stack
from tests.faults.conftest import SETTINGS
from tests.support.client import Client, engine_of

MARGIN = 12.0  # seconds that two busy cores may take beyond what is promised


def ended_after(process: subprocess.Popen[bytes], bound: float) -> float:
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(bound + MARGIN)
    return time.monotonic() - begun


def connection(stack: Stack) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(stack.url).netloc, timeout=30)


def get(stack: Stack, kept: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    kept.request("GET", path, headers={"X-API-Key": stack.api_key})
    return kept.getresponse()


def test_web_that_is_told_to_stop_is_not_ready_and_does_not_wait_long_for_idle_connections(own_stack: Stack) -> None:
    idle, asking, waiting = (closing(connection(own_stack)) for _ in range(3))
    with idle as kept, asking as asked, waiting as waited:
        for each in (kept, asked):
            assert get(own_stack, each, "/readyz").read()
        headers = {"X-API-Key": own_stack.api_key, "Content-Type": "application/json"}
        waited.request("POST", "/v1/agents/count/run", body=b'{"to": 50, "pause": 0.1}', headers=headers)
        time.sleep(0.5)
        web = own_stack.processes.pop("web")
        web.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        # The process looks every quarter of a second whether it was told.
        while (draining := get(own_stack, asked, "/readyz")).status == 200:
            assert draining.read()
            time.sleep(0.1)
        assert (draining.status, draining.getheader("Connection")) == (503, "close")
        assert waited.getresponse().status == 200  # who waits for a result still gets it
        done = time.monotonic()
        web.wait(30)
        ended = time.monotonic()
    print(f"web ended {ended - begun:.1f} s after it was told, {ended - done:.1f} s after its last answer")
    assert ended - done < 4 + MARGIN / 2  # far below the 30 s that requests may take


def test_who_has_connected_when_web_is_told_to_stop_is_answered(own_stack: Stack) -> None:
    answers: list[int] = []

    def call_until_refused(_: int) -> None:
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                with closing(connection(own_stack)) as fresh:
                    fresh.connect()
                    answers.append(get(own_stack, fresh, "/livez").status)  # a reset raises

    with ThreadPoolExecutor(24) as callers:
        calling = callers.map(call_until_refused, range(24))
        own_stack.wait_for("the callers", lambda: len(answers) > 100, 30)
        web = own_stack.processes.pop("web")
        web.send_signal(signal.SIGTERM)
        assert list(calling) == [None] * 24
    web.wait(30)
    assert set(answers) == {200}


@pytest.mark.parametrize("name", ["worker-io", "worker-cpu"])
def test_a_worker_that_is_told_to_stop_while_redis_is_away_ends_in_time(own_stack: Stack, name: str) -> None:
    client, engine = Client(own_stack), engine_of(own_stack)
    agent, payload = ("count", {"to": 100, "pause": 0.02}) if name == "worker-io" else ("compute", {"seconds": 2})
    job_id = client.submit(agent, **payload)
    client.wait_for(job_id, "running")
    own_stack.valkey.kill()
    time.sleep(2.5)  # it is done, and cannot say so
    worker = own_stack.processes.pop(name)
    took = ended_after(worker, float(SETTINGS["DRAIN_SECONDS"]))
    print(f"{name} ended after {took:.1f} s")
    own_stack.valkey.start()
    own_stack.spawn(name)
    assert client.wait_for(job_id)["status"] == "completed"
    assert [event.terminal for event in engine.events(job_id, count=10_000)].count(True) == 1


def test_a_worker_says_whether_it_is_alive(own_stack: Stack) -> None:
    def alive(name: str, **limits: str) -> tuple[int, str]:
        environ = own_stack.environment | limits
        found = subprocess.run(
            ["python", "-m", "tasks.worker.alive", name],
            env=environ, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        return found.returncode, found.stderr

    for name in ("io", "cpu"):
        assert alive(name) == (0, "")
    time.sleep(4)
    for name in ("io", "cpu"):
        # Its marks are fresh, not only there.
        own_stack.wait_for(name, lambda name=name: alive(name, ALIVE_SECONDS="3.5") == (0, ""), 30)  # type: ignore[misc]
        os.kill(own_stack.processes[f"worker-{name}"].pid, signal.SIGSTOP)
    time.sleep(5)
    for name in ("io", "cpu"):
        code, why = alive(name, ALIVE_SECONDS="3.5")
        assert (code, "stands still" in why) == (1, True)
        os.kill(own_stack.processes[f"worker-{name}"].pid, signal.SIGCONT)
    own_stack.valkey.kill()
    time.sleep(6)
    for name in ("io", "cpu"):
        assert alive(name, ALIVE_SECONDS="4.5")[0] == 0  # Redis is away for all: a restart would not help
        code, why = alive(name, ALIVE_SECONDS="4.5", ALIVE_OUTAGE_SECONDS="4.5")
        assert (code, "no connection" in why) == (1, True)
    own_stack.valkey.start()
    own_stack.wait_for("the consumers", lambda: not any(alive(n, ALIVE_SECONDS="3")[0] for n in ("io", "cpu")), 30)
