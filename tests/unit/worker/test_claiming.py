"""How a worker takes a job whose message it holds: through outages of Redis, and not when it is to stop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks.worker.drain import Drain
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
