"""Workers that die, freeze or are told to stop in the middle of a job: the job ends once, and its events tell it."""

from __future__ import annotations

import os
import signal
import time

import pytest

from deploy.local.stack import Stack
from tasks.jobs import Engine
from tests.support.client import Client, engine_of

# A lost worker's job runs again within 30 seconds; the rest is the job's own time on two busy cores.
RECOVERY = 45.0


@pytest.fixture
def client(own_stack: Stack) -> Client:
    return Client(own_stack)


@pytest.fixture
def engine(own_stack: Stack) -> Engine:
    return engine_of(own_stack)


def start(client: Client, agent: str, **payload: object) -> str:
    """Submit a job and wait until it runs."""
    job_id = client.submit(agent, **payload)
    client.wait_for(job_id, "running")
    return job_id


def worker_pid(engine: Engine, job_id: str) -> int:
    job = engine.get(job_id)
    assert job is not None
    return int(job.worker.rpartition("/")[2])


def kinds(engine: Engine, job_id: str) -> list[str]:
    """The events of a job, in order, checked to be gapless within each attempt and to end once."""
    events = engine.events(job_id, count=10_000)
    before = (0, 0)
    for attempt, seq in (event.position for event in events):
        assert (attempt, seq) in ((before[0], before[1] + 1), (before[0] + 1, 0))
        before = (attempt, seq)
    assert [event.terminal for event in events].index(True) == len(events) - 1
    return [event.type for event in events if event.type not in ("token", "progress")]


def tokens_of_last_attempt(engine: Engine, job_id: str) -> str:
    events = engine.events(job_id, count=10_000)
    last = events[-1].position[0]
    return "".join(event.data["content"] for event in events if event.type == "token" and event.position[0] == last)


def test_a_killed_io_workers_job_runs_again_elsewhere(own_stack: Stack, client: Client, engine: Engine) -> None:
    job_id = start(client, "count", to=60, pause=0.05)
    own_stack.spawn("worker-io", as_name="second")
    own_stack.lose("worker-io")
    job = client.wait_for(job_id, timeout=RECOVERY)
    counted = "".join(f"{number} " for number in range(1, 61))
    assert (job["status"], job["attempts"], job["result"]) == ("completed", 2, counted)
    assert kinds(engine, job_id) == ["started", "restarted", "completed"]
    assert tokens_of_last_attempt(engine, job_id) == counted


def test_a_killed_child_is_replaced_and_its_job_runs_again(client: Client, engine: Engine) -> None:
    job_id = start(client, "compute", seconds=1)
    os.kill(worker_pid(engine, job_id), signal.SIGKILL)
    job = client.wait_for(job_id, timeout=RECOVERY)
    assert (job["status"], job["result"]) == ("completed", "computed in attempt 2")
    assert kinds(engine, job_id) == ["started", "restarted", "completed"]


def test_what_a_lost_attempt_had_finished_is_not_done_again(client: Client, engine: Engine) -> None:
    job_id = start(client, "steps", count=10)
    deadline = time.monotonic() + RECOVERY
    while client.job(job_id)["progress"]["fraction"] < 0.3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(worker_pid(engine, job_id), signal.SIGKILL)
    done = client.wait_for(job_id, timeout=RECOVERY)["result"].split()
    assert done == sorted(done)
    assert done.count("1") >= 3
    assert done[-1] == "2"


def test_a_whole_cpu_worker_that_is_killed_loses_nothing(own_stack: Stack, client: Client, engine: Engine) -> None:
    running = start(client, "compute", seconds=1)
    job_ids = [running, *(client.submit("compute", seconds=0) for _ in range(2))]
    own_stack.lose("worker-cpu")
    own_stack.spawn("worker-cpu", as_name="second")
    for job_id in job_ids:
        assert client.wait_for(job_id, timeout=RECOVERY)["status"] == "completed"
        assert kinds(engine, job_id).count("completed") == 1


def test_a_frozen_worker_changes_nothing_when_it_thaws(own_stack: Stack, client: Client, engine: Engine) -> None:
    job_id = start(client, "count", to=40, pause=0.05)
    frozen = own_stack.processes["worker-io"]
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        own_stack.spawn("worker-io", as_name="second")
        job = client.wait_for(job_id, timeout=RECOVERY)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    time.sleep(2)  # long enough for its flusher and its lease thread to try
    assert client.job(job_id) == job
    assert (job["status"], job["attempts"]) == ("completed", 2)
    assert kinds(engine, job_id) == ["started", "restarted", "completed"]


def test_a_message_that_was_lost_is_sent_again(own_stack: Stack, client: Client, engine: Engine) -> None:
    os.kill(own_stack.processes["worker-io"].pid, signal.SIGSTOP)
    time.sleep(1.5)  # its pop times out, so that the message stays in the list for us to lose
    job_id = client.submit("echo", text="lost and found")
    assert engine.redis.rpop(engine.keys.queue("io"))
    os.kill(own_stack.processes["worker-io"].pid, signal.SIGCONT)
    assert client.wait_for(job_id, timeout=RECOVERY)["result"] == "lost and found"


def test_a_job_that_kills_its_worker_is_given_up_and_others_go_on(client: Client, engine: Engine) -> None:
    poison = client.submit("kill_own_process")
    other = client.submit("echo_cpu", text="still here")
    assert client.wait_for(other, timeout=RECOVERY)["result"] == "still here"
    job = client.wait_for(poison, timeout=RECOVERY)
    assert (job["status"], job["error"]["code"]) == ("failed", "worker_lost")
    assert kinds(engine, poison) == ["started", "restarted", "restarted", "failed"]


@pytest.mark.parametrize("name", ["worker-io", "worker-cpu"])
def test_a_worker_that_is_told_to_stop_hands_back_what_it_cannot_finish(
    own_stack: Stack, client: Client, engine: Engine, name: str
) -> None:
    agent, payload = ("count", {"to": 200}) if name == "worker-io" else ("compute", {"seconds": 10})
    job_id = start(client, agent, **payload)
    stopping = own_stack.processes.pop(name)
    stopping.send_signal(signal.SIGTERM)
    assert stopping.wait(60) == 0
    waiting = engine.get(job_id)
    assert waiting is not None
    assert (waiting.status, waiting.losses) == ("pending", 0)
    own_stack.spawn(name)
    assert client.wait_for(job_id, timeout=RECOVERY)["status"] == "completed"
    assert kinds(engine, job_id) == ["started", "restarted", "completed"]


def test_a_worker_that_is_told_to_stop_finishes_short_jobs(own_stack: Stack, client: Client) -> None:
    job_id = start(client, "count", to=20, pause=0.05)
    own_stack.processes["worker-io"].send_signal(signal.SIGTERM)
    own_stack.processes.pop("worker-io").wait(60)
    job = client.job(job_id)
    assert (job["status"], job["attempts"]) == ("completed", 1)


def test_redis_that_is_killed_and_comes_back_loses_nothing(own_stack: Stack, client: Client, engine: Engine) -> None:
    job_id = start(client, "count", to=60, pause=0.05)
    own_stack.valkey.kill()
    time.sleep(1)
    own_stack.valkey.start()
    job = client.wait_for(job_id, timeout=RECOVERY)
    assert (job["status"], job["attempts"]) == ("completed", 1)
    assert tokens_of_last_attempt(engine, job_id) == "".join(f"{number} " for number in range(1, 61))
    assert kinds(engine, job_id) == ["started", "completed"]
