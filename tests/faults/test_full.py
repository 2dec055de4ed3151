"""Full: Redis, the disk of the artifacts, the disk of the logs. Clear errors, nothing half-written, and on it goes."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tests.support.client import Client, engine_of, files_of_jobs


@pytest.fixture
def client(own_stack: Stack) -> Client:
    return Client(own_stack)


@pytest.fixture
def engine(own_stack: Stack) -> Engine:
    return engine_of(own_stack)


@contextmanager
def largest_file(stack: Stack, size: int) -> Iterator[None]:
    """No process of the stack may write a file beyond `size` bytes: what a full disk says, too, is an OSError."""
    pids = [pid for process in stack.processes.values() for pid in family(process.pid)]
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    yield
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


def test_a_full_redis_refuses_new_jobs_and_keeps_the_others(client: Client, engine: Engine) -> None:
    running = client.submit("count", to=60, pause=0.05)
    client.wait_for(running, "running")
    before = set(engine.redis.scan_iter(match=engine.keys.job("*")))
    engine.redis.config_set("maxmemory", 1)
    for text in ("small", "x" * 400_000):  # one in the record, and one that would go to the artifact store
        answer = client.post("/v1/agents/echo/run", json={"text": text})
        assert answer.status_code == 503, answer.text
        assert answer.json()["code"] == "storage_unavailable"
        assert int(answer.headers["Retry-After"]) >= 1
    time.sleep(11)  # beyond a lease: none can be renewed while nothing can be written
    assert set(engine.redis.scan_iter(match=engine.keys.job("*"))) == before
    engine.redis.config_set("maxmemory", 0)
    job = client.wait_for(running)
    assert (job["status"], job["attempts"]) == ("completed", 1)
    assert job["result"] == "".join(f"{number} " for number in range(1, 61))
    assert client.wait_for(client.submit("echo", text="again"))["result"] == "again"


def test_a_full_redis_leaves_no_input_behind(client: Client, engine: Engine, own_stack: Stack) -> None:
    engine.redis.config_set("maxmemory", 1)
    assert client.post("/v1/agents/echo/run", json={"text": "x" * 400_000}).status_code == 503
    assert files_of_jobs(own_stack) == []


def test_a_full_disk_fails_the_job_and_leaves_no_part_of_a_file(client: Client, own_stack: Stack) -> None:
    with largest_file(own_stack, 2 * 1024 * 1024):
        job = client.wait_for(client.submit("write_file", megabytes=3))
        assert (job["status"], job["artifacts"]) == ("failed", [])
        assert job["error"] == {"code": "storage_unavailable", "detail": "A file of the job could not be stored."}
        assert files_of_jobs(own_stack) == []
        small = client.wait_for(client.submit("write_file", megabytes=1))
        assert small["status"] == "completed"
    job = client.wait_for(client.submit("write_file", megabytes=3))
    assert (job["status"], job["artifacts"][0]["size"]) == ("completed", 3 * 1024 * 1024)


def test_a_full_disk_refuses_what_would_have_to_be_stored(client: Client, own_stack: Stack) -> None:
    with largest_file(own_stack, 256 * 1024):
        answer = client.post("/v1/agents/echo/run", json={"text": "x" * 400_000})
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
        assert files_of_jobs(own_stack) == []
        assert client.post("/v1/agents/echo/run", json={"text": "small"}).json()["result"] == "small"
    assert client.post("/v1/agents/echo/run", json={"text": "x" * 400_000}).status_code == 200


def test_a_full_log_disk_costs_lines_and_nothing_else(client: Client, own_stack: Stack) -> None:
    logs = [own_stack.log_path(name) for name in own_stack.names]
    with largest_file(own_stack, 1):  # every log is larger than that already
        sizes = [log.stat().st_size for log in logs]
        for agent in ("echo", "echo_cpu"):
            assert client.wait_for(client.submit(agent, text="unlogged"))["result"] == "unlogged"
        assert [log.stat().st_size for log in logs] == sizes
    client.wait_for(client.submit("echo", text="logged"))
    assert own_stack.log_path("web").stat().st_size > sizes[0]
