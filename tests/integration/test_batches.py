"""Jobs that are run together: taken in one step, ended each under its own attempt, and none at another's expense."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tasks.jobs import Batching, Engine, Job, LocalArtifacts, NewJob, Status, connect
from tasks.jobs.attempts import Attempts, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tests.integration.conftest import AGENTS
from tests.support.client import PATIENCE, engine_of

DONE = Ending(Status.COMPLETED, {"usage": {}}, result="done")
GATHERING = 2.0  # seconds that the first waits for the others: enough to submit them on a busy machine


@pytest.fixture
def engine(valkey_url: str, tmp_path: Path) -> Iterator[Engine]:
    settings = EngineSettings(redis_url=Secret(valkey_url), artifacts_dir=tmp_path, lease=60)
    redis = connect(settings)
    yield Engine(redis, settings, LocalArtifacts(tmp_path))
    redis.connection_pool.disconnect()


@pytest.fixture
def attempts(engine: Engine) -> Attempts:
    return Attempts(engine.redis, engine.settings, "worker/1")


def submit(engine: Engine, name: str = "sums", size: int = 3, *, queue: str = "cpu") -> Job:
    return engine.submit(NewJob("gathered", queue, "me", 60, {}, batching=Batching(name, size)))


def taken(attempts: Attempts, job: Job, nonce: str = "ours") -> list[str]:
    return [claim.job.id for claim in attempts.claim_with_company(job.id, job.queue, nonce)]


def test_a_claim_takes_those_along_that_wait_and_no_more_than_there_is_room_for(
    engine: Engine, attempts: Attempts
) -> None:
    first, *others = [submit(engine) for _ in range(5)]
    found_first, *company = taken(attempts, first)
    assert found_first == first.id
    assert len(company) == 2
    assert set(company) < {job.id for job in others}
    assert engine.redis.zcard(engine.keys.pending("cpu")) == 2
    for job in (job for job in others if job.id in company):
        found = engine.get(job.id)
        assert found is not None
        assert (found.status, found.attempt, found.last_event_id) == (Status.RUNNING, 1, "1-0")
        assert taken(attempts, job, "another wake-up") == []


def test_a_claim_that_is_repeated_finds_the_same_company_and_takes_no_one_else(
    engine: Engine, attempts: Attempts
) -> None:
    first, second = submit(engine), submit(engine)
    assert taken(attempts, first) == [first.id, second.id]
    for _ in range(2):
        submit(engine)
    whole = taken(attempts, first)
    assert whole[:2] == [first.id, second.id]
    assert len(whole) == 3
    assert taken(attempts, first) == whole


def test_only_jobs_of_the_same_name_are_taken_along(engine: Engine, attempts: Attempts) -> None:
    first, other, alone = submit(engine), submit(engine, "products"), submit(engine, size=1)
    assert taken(attempts, first) == [first.id, alone.id]
    assert taken(attempts, other) == [other.id]


def test_who_is_claimed_alone_leaves_the_line_of_its_kind(engine: Engine, attempts: Attempts) -> None:
    first, second = submit(engine), submit(engine)
    assert attempts.claim(second.id, "cpu") is not None
    assert taken(attempts, first) == [first.id]


def test_a_canceled_job_is_not_taken_along(engine: Engine, attempts: Attempts) -> None:
    first, second = submit(engine), submit(engine)
    assert engine.cancel(second) == "canceled"
    assert taken(attempts, first) == [first.id]


def test_jobs_that_came_while_the_first_waited_join_it(engine: Engine, attempts: Attempts) -> None:
    first = submit(engine)
    [claim] = attempts.claim_with_company(first.id, "cpu", "ours")
    second = submit(engine)
    assert [each.job.id for each in attempts.join(claim)] == [first.id, second.id]
    attempts.hand_back(claim)
    submit(engine)
    assert attempts.join(claim) == []  # it holds the job no longer


def test_a_job_that_lost_its_worker_runs_alone_from_then_on(engine: Engine, attempts: Attempts) -> None:
    first, second = submit(engine), submit(engine)
    for claim in attempts.claim_with_company(first.id, "cpu", "ours"):
        assert attempts.lose(claim.job, "gone") == "pending"
    third = submit(engine)
    assert taken(attempts, first, "again") == [first.id]
    assert taken(attempts, third, "other") == [third.id]
    assert taken(attempts, second, "second") == [second.id]


def test_a_job_that_was_handed_back_may_have_company_again(engine: Engine, attempts: Attempts) -> None:
    first, second = submit(engine), submit(engine)
    for claim in attempts.claim_with_company(first.id, "cpu", "ours"):
        assert attempts.hand_back(claim) == "pending"
    assert taken(attempts, second, "again") == [second.id, first.id]


def test_each_ends_under_its_own_attempt(engine: Engine, attempts: Attempts) -> None:
    first, second = submit(engine), submit(engine)
    one, two = attempts.claim_with_company(first.id, "cpu", "ours")
    assert attempts.lose(two.job, "gone") == "pending"
    again = attempts.claim(second.id, "cpu")
    assert again is not None
    drafts = [Draft(1, "completed", b"{}")]
    assert attempts.write([(one, drafts, DONE), (two, drafts, DONE), (again, drafts, DONE)]) == ["ok", "stale", "ok"]
    found = engine.get(second.id)
    assert found is not None
    assert (found.status, found.attempt, found.result) == (Status.COMPLETED, 2, "done")


# With real processes: one child, so that the first job it takes is the one that waits for the others.


@pytest.fixture(scope="module")
def gathering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"AGENTS": AGENTS, "CPU_CONCURRENCY": "1", "DRAIN_SECONDS": "1"}
    stack = Stack(tmp_path_factory.mktemp("gathering"), settings, only=("worker-cpu",))
    stack.start()
    yield stack
    stack.kill()


@pytest.fixture
def run(gathering: Stack) -> Iterator[Callable[..., list[Job]]]:
    """Submit jobs that are run together, and wait until a worker has all of them."""
    engine = engine_of(gathering)

    def submit_all(*acts: str, timeouts: tuple[float, ...] = ()) -> list[Job]:
        batching = Batching(uuid.uuid4().hex, len(acts), GATHERING)
        limits = timeouts or (30.0,) * len(acts)
        jobs = [
            engine.submit(NewJob("gathered", "cpu", "me", limit, {"act": act}, batching=batching))
            for act, limit in zip(acts, limits, strict=True)
        ]
        return [wait(engine, job, lambda each: each.attempt > 0) for job in jobs]

    yield submit_all
    engine.redis.connection_pool.disconnect()


def wait(engine: Engine, job: Job, until: Callable[[Job], bool] = lambda job: job.status.ended) -> Job:
    deadline = time.monotonic() + PATIENCE
    while True:
        found = engine.get(job.id)
        assert found is not None
        if until(found):
            return found
        assert time.monotonic() < deadline, f"{found.status} after {PATIENCE} s"
        time.sleep(0.02)


def ends(stack: Stack, jobs: list[Job]) -> list[Job]:
    engine = engine_of(stack)
    found = [wait(engine, job) for job in jobs]
    engine.redis.connection_pool.disconnect()
    return found


def seen(job: Job) -> tuple[str, str | None, int, int]:
    """How a job ended: status, its answer or the code of its error, attempts and losses."""
    return job.status.value, job.error.code if job.error else job.result, job.attempt, job.losses


def test_jobs_are_run_at_once_and_what_is_wrong_with_one_is_its_own(
    gathering: Stack, run: Callable[..., list[Job]]
) -> None:
    answered, failed, other = ends(gathering, run("answer", "fail", "answer"))
    assert seen(answered) == seen(other) == ("completed", "3", 1, 0)
    assert seen(failed) == ("failed", "agent_error", 1, 0)
    assert answered.worker == other.worker


def test_a_child_that_is_killed_costs_each_of_its_jobs_one_loss(
    gathering: Stack, run: Callable[..., list[Job]]
) -> None:
    jobs = run("hold", "answer", "answer")
    [child] = {job.worker for job in jobs}
    os.kill(int(child.rpartition("/")[2]), signal.SIGKILL)
    assert {seen(job) for job in ends(gathering, jobs)} == {("completed", "1", 2, 1)}


def test_canceling_one_ends_it_and_gives_the_others_back_without_a_loss(
    gathering: Stack, run: Callable[..., list[Job]]
) -> None:
    jobs = run("hold", "answer", "answer")
    engine = engine_of(gathering)
    assert engine.cancel(jobs[1]) == "canceling"
    held, canceled, other = ends(gathering, jobs)
    assert canceled.status is Status.CANCELED
    assert [(each.status, each.attempt, each.losses) for each in (held, other)] == [(Status.COMPLETED, 2, 0)] * 2
    engine.redis.connection_pool.disconnect()


def test_one_that_is_over_its_time_fails_and_gives_the_others_back_without_a_loss(
    gathering: Stack, run: Callable[..., list[Job]]
) -> None:
    late, other = ends(gathering, run("hold", "answer", timeouts=(2.0, 30.0)))
    assert (late.status, late.error and late.error.code) == (Status.FAILED, "timeout")
    assert (other.status, other.attempt, other.losses) == (Status.COMPLETED, 2, 0)


def test_one_that_kills_its_worker_takes_no_chance_of_its_neighbours_but_the_first(
    gathering: Stack, run: Callable[..., list[Job]]
) -> None:
    poison, one, two = ends(gathering, run("die", "answer", "answer"))
    assert seen(poison)[:2] == ("failed", "worker_lost")
    assert poison.losses == 3
    assert seen(one) == seen(two) == ("completed", "1", 2, 1)


def test_a_worker_that_is_told_to_stop_gives_all_of_them_back(gathering: Stack, run: Callable[..., list[Job]]) -> None:
    jobs = run("hold", "answer")
    gathering.processes["worker-cpu"].terminate()
    gathering.processes["worker-cpu"].wait(PATIENCE)
    gathering.spawn("worker-cpu")
    assert [(each.status, each.losses) for each in ends(gathering, jobs)] == [(Status.COMPLETED, 0)] * 2
