"""Deleting jobs, and remembering whose they were."""

from __future__ import annotations

from typing import Any

from tasks.jobs import scripts
from tasks.jobs.engine import Engine
from tasks.jobs.record import Job, Status

DELETED = "deleted"


def delete_job(engine: Engine, job: Job) -> Status | None:
    """Remove a job that has ended, with its events and files. Otherwise its status is returned and nothing is changed.

    Its idempotency key stays until its own time, so that a late repeat does not do the work again.
    """
    answer = scripts.delete(engine.redis, engine.keys.transition(job.id, job.queue), [job.id]).decode()
    if answer != DELETED:
        return Status(answer)
    for key in list(engine.artifacts.list(job.id)):
        engine.artifacts.delete(key)
    return None


def owner_of_gone(engine: Engine, job_id: str) -> str | None:
    """Whose job it was that is no more. None: nobody's, or it was forgotten more than a week ago."""
    owner: Any = engine.redis.get(engine.keys.gone(job_id))
    return owner.decode() if owner else None
