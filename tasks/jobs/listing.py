"""An owner's jobs page by page, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tasks.jobs.engine import Engine, place
from tasks.jobs.pace import drain_rate
from tasks.jobs.record import ArtifactInfo, Job, Place, Status

# Everything but the input and the result: a page of large ones would be megabytes that nobody reads.
FIELDS = (
    *("version", "agent", "queue", "owner", "status", "attempt", "losses", "timeout", "created_at", "request_id"),
    *("started_at", "completed_at", "expires_at", "progress", "error", "usage", "artifacts", "last_event_id"),
    *("webhook", "deliveries", "redelivery"),
)

# Records that one page looks at when a filter passes few of them. It bounds the time of a request.
MOST_LOOKED_AT = 1_000
BATCH = 100


@dataclass(frozen=True, order=True)
class Position:
    """A place in the list: behind the job of this id, created at this moment (ms since the epoch)."""

    created: int
    job_id: str


@dataclass(frozen=True)
class Filter:
    """Which jobs are wanted. None: all."""

    status: Status | None = None
    agent: str | None = None

    def passes(self, job: Job) -> bool:
        return self.status in (None, job.status) and self.agent in (None, job.agent)


@dataclass(frozen=True)
class Page:
    """Some jobs, without their results, and where the next page begins (None: there is none)."""

    jobs: list[Job]
    next: Position | None


def page(engine: Engine, owner: str, wanted: Filter, limit: int, after: Position | None = None) -> Page:
    """Read at most `limit` jobs behind `after`. A filter that passes few may give a short page with more to come."""
    found: list[tuple[Position, Job]] = []
    looked_at = 0
    for positions in _positions(engine, owner, after):
        passed = [each for each in _read(engine, positions) if wanted.passes(each[1])]
        found += passed
        looked_at += len(positions)
        if len(found) > limit:
            return Page(_with_removed(engine, found[:limit]), found[limit - 1][0])
        if looked_at >= MOST_LOOKED_AT:
            return Page(_with_removed(engine, found), positions[-1])
    return Page(_with_removed(engine, found), None)


def queue_places(engine: Engine, jobs: Sequence[Job]) -> Mapping[str, Place]:
    """What `Engine.queue_place` says, for those of many jobs that are pending, in one round trip."""
    pending = [job for job in jobs if job.status is Status.PENDING]
    queues = sorted({job.queue for job in pending})
    pipeline = engine.redis.pipeline(transaction=False)
    pipeline.time()
    for queue in queues:
        pipeline.hgetall(engine.keys.ended(queue))
    for job in pending:
        pipeline.zrank(engine.keys.pending(job.queue), job.id)
    (seconds, _), *answers = pipeline.execute()
    rates = {queue: drain_rate(ended, seconds) for queue, ended in zip(queues, answers, strict=False)}
    ranks = zip(pending, answers[len(queues) :], strict=True)
    return {job.id: place(rank, rates[job.queue]) for job, rank in ranks}


def _positions(engine: Engine, owner: str, after: Position | None) -> Iterator[list[Position]]:
    """Batches of the index, in strict order: what is added meanwhile is newer and belongs to no later page."""
    most = "+inf" if after is None else after.created
    offset = 0
    while True:
        entries: Any = engine.redis.zrevrangebyscore(
            engine.keys.jobs_of(owner), most, "-inf", start=offset, num=BATCH, withscores=True
        )
        offset += len(entries)
        batch = [Position(int(score), member.decode()) for member, score in entries]
        batch = [each for each in batch if after is None or each < after]
        if batch:
            yield batch
            after = batch[-1]
        if len(entries) < BATCH:
            return


def _read(engine: Engine, positions: Sequence[Position]) -> list[tuple[Position, Job]]:
    """The records that are still there."""
    pipeline = engine.redis.pipeline(transaction=False)
    for each in positions:
        pipeline.hmget(engine.keys.job(each.job_id), FIELDS)
    found = []
    for each, values in zip(positions, pipeline.execute(), strict=True):
        stored = {name.encode(): value for name, value in zip(FIELDS, values, strict=True) if value is not None}
        if stored:
            found.append((each, Job.from_hash(each.job_id, stored)))
    return found


def _with_removed(engine: Engine, found: Sequence[tuple[Position, Job]]) -> list[Job]:
    """Mark the artifacts that are gone: each has a field of its own, so they are asked for by name."""
    pipeline = engine.redis.pipeline(transaction=False)
    jobs = [job for _, job in found]
    named = [(job, each) for job in jobs for each in job.artifacts]
    for job, artifact in named:
        pipeline.hexists(engine.keys.job(job.id), f"removed:{artifact.name}")
    answers = pipeline.execute()
    gone = {(job.id, each.name) for (job, each), answer in zip(named, answers, strict=True) if answer}
    return [replace(job, artifacts=_marked(job, gone)) if job.artifacts else job for job in jobs]


def _marked(job: Job, gone: set[tuple[str, str]]) -> tuple[ArtifactInfo, ...]:
    return tuple(replace(each, removed=(job.id, each.name) in gone) for each in job.artifacts)
