"""How a worker takes a job whose message it holds: through outages of Redis, and not when it is to stop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks.jobs import Job, Status
from tasks.jobs.attempts import Batch, Claim
from tasks.worker import runner as running
from tasks.worker.drain import Drain
from tasks.worker.flusher import Flusher
from tasks.worker.leases import Leases
from tasks.worker.runner import Runner


class Engine:
    settings = SimpleNamespace(resend_after=15.0)

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.nonces: list[str] = []
        self.pushed: list[tuple[str, str]] = []

    def claim_with_company(self, job_id: str, queue: str, nonce: str) -> list[Any]:
        self.nonces.append(nonce)
        if len(self.nonces) <= self.failures:
            raise RedisConnectionError("away")
        return []

    def push(self, job_id: str, queue: str) -> bool:
        self.pushed.append((job_id, queue))
        return True


def runner(engine: Engine, drain: Drain) -> Runner:
    unused: Any = SimpleNamespace()
    return Runner(engine, {}, unused, unused, unused, unused, drain)  # type: ignore[arg-type] # only these are used


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.worker.runner.CLAIM_AGAIN", 0)


def test_a_claim_is_repeated_with_the_same_nonce_until_redis_answers() -> None:
    engine = Engine(failures=3)
    runner(engine, Drain(1)).run("job", "io")
    assert len(engine.nonces) == 4
    assert len(set(engine.nonces)) == 1


def test_a_claim_is_not_repeated_for_longer_than_the_message_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(failures=10**9)
    engine.settings = SimpleNamespace(resend_after=0.0)
    runner(engine, Drain(1)).run("job", "io")
    assert len(engine.nonces) <= 2


def test_a_worker_that_drains_sends_on_what_it_had_taken() -> None:
    engine, drain = Engine(failures=0), Drain(1)
    drain.begin()
    runner(engine, drain).run("job", "io")
    assert (engine.nonces, engine.pushed) == ([], [("job", "io")])


class Company(Engine):
    """Gives all that wait to whoever claims first. They end as told."""

    settings = SimpleNamespace(resend_after=15.0, max_events=100)

    def __init__(self, *waiting: str, end: str) -> None:
        super().__init__(failures=0)
        self.waiting = list(waiting)
        self.end = end
        self.claimed: list[str] = []

    def claim_with_company(self, job_id: str, queue: str, nonce: str) -> list[Any]:
        self.claimed.append(job_id)
        taken, self.waiting = self.waiting, []
        return [
            Claim(Job(1, each, "unknown", queue, "me", Status.RUNNING, 1, 0, 60.0, datetime.now(UTC)), nonce)
            for each in taken
        ]

    def write(self, batches: Sequence[Batch]) -> list[str]:
        return [self.end] * len(batches)


def company_runner(engine: Company) -> Runner:
    drain, flusher = Drain(1), Flusher(engine, delay=0)  # type: ignore[arg-type] # only these are used
    flusher.start()
    idle: Any = SimpleNamespace(started=lambda _: None, ended=lambda _: None)
    return Runner(engine, {}, idle, flusher, Leases(engine, drain, idle), idle, drain)  # type: ignore[arg-type]


def test_the_message_of_a_job_that_has_ended_in_anothers_company_is_no_claim() -> None:
    engine = Company("first", "second", end="ok")
    worker = company_runner(engine)
    worker.run("first", "cpu")
    worker.run("second", "cpu")
    assert engine.claimed == ["first"]
    worker.run("second", "cpu")  # a second one is
    assert engine.claimed == ["first", "second"]


def test_the_message_of_a_job_that_was_lost_in_anothers_company_is_a_claim() -> None:
    engine = Company("first", "second", end="stale")
    worker = company_runner(engine)
    worker.run("first", "cpu")
    worker.run("second", "cpu")
    assert engine.claimed == ["first", "second"]


def test_of_the_jobs_whose_messages_went_elsewhere_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_AHEAD", 2)
    engine = Company("first", "second", "third", "fourth", end="ok")
    worker = company_runner(engine)
    worker.run("first", "cpu")
    for each in ("second", "third", "fourth"):
        worker.run(each, "cpu")
    assert engine.claimed == ["first", "second"]
