"""Jobs that were given up because they lost their worker too often: look at them, run them again, forget them."""

from __future__ import annotations

import uuid
from typing import Any

from tasks.jobs import scripts
from tasks.jobs.engine import Engine
from tasks.jobs.new_job import NewJob
from tasks.jobs.record import Job

MOST = 1000  # jobs that are listed: more than anybody reads, and still one answer


class DeadJobs:
    """The jobs that were given up. They are kept for `DEAD_RETENTION_SECONDS`, with their input."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> list[Job]:
        """Read them, the latest first."""
        engine = self._engine
        ids: Any = engine.redis.zrevrange(engine.keys.dead, 0, MOST - 1)
        found = (engine.get(job_id.decode()) for job_id in ids)
        return [job for job in found if job is not None]

    def get(self, job_id: str) -> Job | None:
        """Read one. None: it is not among those given up (any more)."""
        listed = self._engine.redis.zscore(self._engine.keys.dead, job_id)
        return self._engine.get(job_id) if listed is not None else None

    def retry(self, job: Job) -> Job:
        """Run it again as a new job of the same owner, and take it off the list.

        The old job has ended, and its readers were told so: what comes now is another one. Its id follows from the old
        one's, so that a second try at this makes no second job. Raises `LimitReached` when its owner has too many.
        """
        engine = self._engine
        new_id = retry_id(job.id)
        payload = _moved(engine.payload(job), job.id, new_id, engine)
        new = engine.submit(
            NewJob(job.agent, job.queue, job.owner, job.timeout, payload, request_id=job.request_id, id=new_id)
        )
        engine.redis.zrem(engine.keys.dead, job.id)
        return new

    def purge(self, job: Job) -> bool:
        """Forget it with all it left. False when somebody was faster."""
        keys = self._engine.keys.transition(job.id, job.queue)
        return bool(scripts.purge(self._engine.redis, keys, [job.id]))


def retry_id(job_id: str) -> str:
    """The id of the job that a given-up job is run again as."""
    return str(uuid.uuid5(uuid.UUID(job_id), "retry"))


def _moved(value: Any, old: str, new: str, engine: Engine) -> Any:
    """The payload with its uploaded files copied under the new job's id: the old ones go with the old job."""
    if isinstance(value, list):
        return [_moved(each, old, new, engine) for each in value]
    if not isinstance(value, dict):
        return value
    key = value.get("key")
    if isinstance(key, str) and key.startswith(f"{old}/0/"):
        copy = f"{new}/0/{key.removeprefix(f'{old}/0/')}"
        _copy(engine, key, copy)
        return {**value, "key": copy}
    return {name: _moved(each, old, new, engine) for name, each in value.items()}


def _copy(engine: Engine, source: str, target: str) -> None:
    if engine.artifacts.stat(target) is None:  # an earlier try may have come this far
        engine.artifacts.put(target, engine.artifacts.open(source))
