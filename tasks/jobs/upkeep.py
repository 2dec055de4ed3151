"""What the keeper does: find work that nobody holds, and bring it back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tasks.jobs import logs, scripts
from tasks.jobs.attempts import ALIVE, STALE, Attempts
from tasks.jobs.engine import Engine

log = logs.get_logger(__name__)

BATCH = 500  # jobs looked at in one pass and queue: bounds a pass, the next one is seconds away


def lose_expired(attempts: Attempts) -> int:
    """Take back the jobs whose lease ran out. Returns how many."""
    seconds, micros = attempts.redis.time()
    moment = seconds * 1000 + micros // 1000
    expired: Any = attempts.redis.zrangebyscore(attempts.keys.leases, "-inf", moment, start=0, num=BATCH)
    return sum(_lose(attempts, job_id.decode()) for job_id in expired)


def resend_waiting(attempts: Attempts) -> int:
    """Send the messages again that may be lost. Returns how many."""
    wait = math.ceil(attempts.settings.resend_after * 1000)
    sent = 0
    for queue in attempts.settings.queues:
        keys = [attempts.keys.pending(queue), attempts.keys.queue(queue)]
        for job_id in scripts.waiting(attempts.redis, keys, [wait, BATCH]):
            sent += attempts.push(job_id.decode(), queue)
    return sent


def remove_due(engine: Engine) -> int:
    """Remove the artifacts whose grace is over. Returns how many."""
    due: Any = engine.redis.zrangebyscore(engine.keys.removals, "-inf", engine.now(), start=0, num=BATCH)
    for member in due:
        job_id, _, name = member.decode().partition("/")
        engine.remove_artifact(job_id, name)
        engine.redis.zrem(engine.keys.removals, member)
    _count(engine, files=len(due))
    return len(due)


def remove_expired(engine: Engine) -> int:
    """Remove what outlived its job or its upload: files, and places in the owner's lists. Returns of how many."""
    due: Any = engine.redis.zrangebyscore(engine.keys.expiries, "-inf", engine.now() * 1000, start=0, num=BATCH)
    files = jobs = 0
    for member in due:
        job_id, _, owner = member.decode().partition(" ")
        files += sum([engine.artifacts.delete(key) for key in list(engine.artifacts.list(job_id))])
        jobs += engine.redis.zrem(engine.keys.jobs_of(owner), job_id)
        engine.redis.zrem(engine.keys.dead, job_id)
        engine.redis.zrem(engine.keys.expiries, member)
    _count(engine, jobs=jobs, files=files)
    return len(due)


def remove_forgotten(engine: Engine) -> int:
    """Take the conversations that have expired off their list. Returns how many."""
    moment = int(engine.now() * 1000)
    gone = engine.redis.zremrangebyscore(engine.keys.conversations, "-inf", moment)
    _count(engine, conversations=gone)
    return gone


def removed(engine: Engine) -> Mapping[str, int]:
    """How many jobs, files and conversations the keeper has removed since there is this state."""
    counted: Any = engine.redis.hgetall(engine.keys.removed)
    return dict.fromkeys(("jobs", "files", "conversations"), 0) | {
        name.decode(): int(count) for name, count in counted.items()
    }


def _count(engine: Engine, **counts: int) -> None:
    for name, count in counts.items():
        if count:
            engine.redis.hincrby(engine.keys.removed, name, count)


def _lose(attempts: Attempts, job_id: str) -> bool:
    try:
        job = attempts.get(job_id)
    except (ValueError, TypeError):  # somebody else wrote into it: the others must not wait behind it
        log.exception("job.unreadable", job_id=job_id)
        return False
    if job is None or job.status.ended:
        attempts.redis.zrem(attempts.keys.leases, job_id)
        return False
    return attempts.lose(job, "expired") not in (ALIVE, STALE)
