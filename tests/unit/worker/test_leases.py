"""The lease thread's book-keeping against an engine that answers as told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tasks.jobs import Job, Status
from tasks.jobs.attempts import Claim
from tasks.worker.drain import Drain
from tasks.worker.leases import Leases
from tasks.worker.running import Reason, Running


class Engine:
    settings = SimpleNamespace(lease=10.0)

    def __init__(self) -> None:
        self.answers: dict[int, str] = {}

    def renew(self, claims: Sequence[Claim]) -> list[str]:
        return [self.answers[claim.attempt] for claim in claims]


def running(attempt: int) -> Running:
    job = Job(1, "job", "echo", "io", "me", Status.RUNNING, attempt, 0, 60.0, datetime.now(UTC))
    found = Running(Claim(job, f"nonce-{attempt}"))
    found.executing = True
    return found


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def leases(engine: Engine) -> Leases:
    return Leases(engine, Drain(1), lambda _: None)  # type: ignore[arg-type] # only `renew` is used


def test_a_worker_that_was_frozen_may_hold_a_job_twice(leases: Leases, engine: Engine) -> None:
    old, new = running(1), running(2)
    engine.answers = {1: "stale", 2: "running"}
    with leases.hold(old):
        with leases.hold(new):
            leases.beat()
            assert (old.reason, new.reason) == (Reason.LOST, None)
        assert leases.held() == [old]
    assert leases.held() == []


def test_a_cancel_is_heard(leases: Leases, engine: Engine) -> None:
    held = running(1)
    engine.answers = {1: "canceling"}
    with leases.hold(held):
        leases.beat()
    assert held.reason is Reason.CANCEL
