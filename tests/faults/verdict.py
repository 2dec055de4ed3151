"""Compare what was promised with what came of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.jobs import Engine, Job, Status
from tests.faults.ledger import Ledger, Promise

LOOK = 0.5  # seconds between two looks


@dataclass
class Verdict:
    """What came of a number of promises. Only `given_up` and `outside` may be anything but zero."""

    jobs: int = 0
    lost: list[str] = field(default_factory=list)  # no terminal state, or no record
    repeated: list[str] = field(default_factory=list)  # events or ends more than once, or out of order
    wrong: list[str] = field(default_factory=list)  # a result, a stream or a file that is not what the agent made
    given_up: int = 0  # failed after their third lost worker: an end, though not a happy one
    outside: int = 0  # agents that ran to their end more than once: their own effects, at least once by design

    @property
    def good(self) -> bool:
        return not (self.lost or self.repeated or self.wrong)

    def merge(self, other: Verdict) -> None:
        self.jobs += other.jobs
        self.lost += other.lost
        self.repeated += other.repeated
        self.wrong += other.wrong
        self.given_up += other.given_up
        self.outside += other.outside


def wait_until_ended(engine: Engine, promises: Sequence[Promise], timeout: float) -> None:
    """Wait until every promised job has ended, or the time is over."""
    open_ids = [promise.job_id for promise in promises]
    until = time.monotonic() + timeout
    while open_ids and time.monotonic() < until:
        open_ids = [job_id for job_id in open_ids if not _ended(engine.get(job_id))]
        time.sleep(LOOK if open_ids else 0)


def judge(engine: Engine, ledger: Ledger, promises: Sequence[Promise]) -> Verdict:
    """Look at every promised job."""
    verdict = Verdict(jobs=len(promises))
    effects = ledger.outside_effects()
    for promise in promises:
        _judge(engine, promise, verdict)
        verdict.outside += max(0, effects[promise.job_id] - 1)
    return verdict


def _judge(engine: Engine, promise: Promise, verdict: Verdict) -> None:
    job = engine.get(promise.job_id)
    if job is None or not job.status.ended:
        verdict.lost.append(f"{promise.job_id}: {job.status if job else 'no record'}")
        return
    problem = _events_problem(engine, job)
    if problem:
        verdict.repeated.append(f"{job.id}: {problem}")
    if job.status is Status.FAILED and job.error and job.error.code == "worker_lost":
        verdict.given_up += 1
    elif job.status is not Status.COMPLETED or not _is_right(engine, job, promise):
        verdict.wrong.append(f"{job.id}: {job.status} {job.error} {job.result}")


def _events_problem(engine: Engine, job: Job) -> str:
    """The log must have no gap and no repeat within an attempt, and one end, which is the last."""
    events = engine.events(job.id, count=10_000)
    before = (0, 0)
    for position in (event.position for event in events):
        if position not in ((before[0], before[1] + 1), (before[0] + 1, 0)):
            return f"{position} after {before}"
        before = position
    ends = Counter(event.type for event in events if event.terminal)
    return "" if ends == {job.status.value: 1} and events[-1].terminal else f"ends {dict(ends)}"


def _is_right(engine: Engine, job: Job, promise: Promise) -> bool:
    if promise.agent == "tell":
        told = "".join(f"{number} " for number in range(1, promise.to + 1))
        tokens = (
            e.data["content"]
            for e in engine.events(job.id, count=10_000)
            if e.type == "token" and e.position[0] == job.attempt
        )
        return bool(job.result == told == "".join(tokens))
    return [engine.artifacts.stat(each.key) for each in job.artifacts] == [7 * promise.to]


def _ended(job: Job | None) -> bool:
    return job is not None and job.status.ended
