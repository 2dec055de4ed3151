"""The web side's door to jobs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import orjson
from redis import Redis
from redis.exceptions import ResponseError

from tasks import metrics
from tasks.jobs import scripts
from tasks.jobs.artifacts import ArtifactStore
from tasks.jobs.conversations import Conversations
from tasks.jobs.errors import ConversationFull, JobGone, KeyReused, LimitReached, NoConversation
from tasks.jobs.events import Event
from tasks.jobs.keys import Keys
from tasks.jobs.message import make_message
from tasks.jobs.new_job import NewJob, created_job, fields_of
from tasks.jobs.pace import drain_rate, retry_after
from tasks.jobs.pipelined import Pipelined
from tasks.jobs.record import Job, Place, Status
from tasks.jobs.settings import EngineSettings

REFUSED = {b"no_conversation": NoConversation, b"conversation_full": ConversationFull}


class Engine:
    """Submit jobs and read them. Every method is one round trip to Redis unless it says otherwise.

    Failures of Redis come through as `redis.exceptions.RedisError`. All writes are safe to repeat.
    """

    def __init__(self, redis: Redis, settings: EngineSettings, artifacts: ArtifactStore) -> None:
        self.redis = redis
        self._pipelined = Pipelined(redis)
        self.settings = settings
        self.artifacts = artifacts
        self.keys = Keys(settings.namespace)
        self.conversations = Conversations(redis, settings)

    def submit(self, new: NewJob) -> Job:
        """Record the job and wake a worker, in one step. An input over the inline limit is stored first.

        With an idempotency key that is known, the job that it stands for is returned: its id differs from
        `new.id`. Raises `LimitReached`, `KeyReused`, `JobGone`, `NoConversation` or `ConversationFull`.
        """
        payload, input_ref = self._store_input(new)
        idempotency, fingerprint = self._idempotency(new)
        fields = [
            *fields_of(new, payload=payload, input_ref=input_ref),
            *(("idempotency", idempotency) if idempotency else ()),
            *self._turn(new),
        ]
        head: list[scripts.Argument] = [
            new.id,
            make_message(new.id, new.queue),
            new.owner,
            *(idempotency, fingerprint),
            *self._limits(),
            new.batching.name if new.batching else "",
        ]
        keys = [*self._keys(new), *self._conversation(new)]
        try:
            kind, *rest = scripts.submit(self._pipelined, keys, [*head, *fields])
        except ResponseError:  # it refuses, being full for instance; of a lost reply nobody knows
            if input_ref:
                self.artifacts.delete(input_ref)
            raise
        if kind == b"created":
            metrics.JOBS_SUBMITTED.add(new.agent, new.queue)
            created, rank, ended = rest
            rate = drain_rate(dict(zip(ended[::2], ended[1::2], strict=True)), created / 1000)
            return created_job(new, input_ref, created, place(rank, rate))
        if input_ref and kind != b"repeated":
            self.artifacts.delete(input_ref)
        return self._not_created(new, kind, rest)

    def get(self, job_id: str) -> Job | None:
        """Read a job. None: there is no such job, or it has expired."""
        stored: Any = self.redis.hgetall(self.keys.job(job_id))
        return Job.from_hash(job_id, stored) if stored else None

    def result(self, job: Job) -> Any:
        """The job's result, fetched from the artifact store when it is too large for the record."""
        if not job.result_ref:
            return job.result
        return orjson.loads(b"".join(self.artifacts.open(job.result_ref)))

    def payload(self, job: Job) -> Any:
        """The job's input, fetched from the artifact store when it is too large for the record."""
        return orjson.loads(b"".join(self.artifacts.open(job.input_ref))) if job.input_ref else job.payload

    def events(self, job_id: str, after: str = "", count: int = 500) -> list[Event]:
        """Read the log from behind the id `after` (from its start without one)."""
        begin = f"({after}" if after else "-"
        entries: Any = self.redis.xrange(self.keys.events(job_id), min=begin, count=count)
        return [Event.from_log(event_id, fields) for event_id, fields in entries]

    def cancel(self, job: Job) -> str | None:
        """Ask for the end of a job. Returns its status after that, None when it is gone."""
        answer = scripts.cancel(self.redis, self._keys(job), [job.id, self._retention])
        status = answer.decode() if answer else None
        if job.status is Status.PENDING and status == Status.CANCELED:
            metrics.JOBS_ENDED.add(job.agent, job.queue, status)
        return status

    def queue_place(self, job: Job) -> Place:
        """Where a pending job stands (1 is next), and the seconds it may wait at the measured drain rate.

        The seconds are None while nothing has ended in the last minute; the place is 0 when it waits no more.
        """
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.zrank(self.keys.pending(job.queue), job.id)
        pipeline.hgetall(self.keys.ended(job.queue))
        pipeline.time()
        rank, ended, (seconds, _) = pipeline.execute()
        return place(rank, drain_rate(ended, seconds))

    def remove_artifact(self, job_id: str, name: str) -> bool:
        """Delete an artifact's file and mark it removed in the record. False when there is none."""
        job = self.get(job_id)
        artifact = job.artifact(name) if job else None
        if job is None or artifact is None or artifact.removed:
            return False
        # The record first: a file that is left behind is removed with its job, a promise could not be kept.
        scripts.remove(self.redis, [self.keys.job(job_id)], [name])
        self.artifacts.delete(artifact.key)
        return True

    def consume_artifact(self, job_id: str, name: str, grace: float) -> None:
        """A delivery is over: remove the artifact now, or let the keeper do it after `grace` seconds."""
        if grace <= 0:
            self.remove_artifact(job_id, name)
        else:
            due = self.now() + grace
            # NX: a second delivery does not put off what the first one settled.
            self.redis.zadd(self.keys.removals, {f"{job_id}/{name}": due}, nx=True)

    def now(self) -> float:
        """Seconds since the epoch by the clock of Redis, which all processes share."""
        seconds, micros = self.redis.time()
        return float(seconds + micros / 1e6)

    def ping(self) -> None:
        """Raise `RedisError` when Redis does not answer."""
        self.redis.ping()

    @property
    def _retention(self) -> int:
        return math.ceil(self.settings.retention * 1000)

    def _keys(self, job: Job | NewJob) -> list[str]:
        return self.keys.transition(job.id, job.queue)

    def _store_input(self, new: NewJob) -> tuple[bytes, str]:
        payload = orjson.dumps(new.payload)
        if len(payload) <= self.settings.inline_limit:
            return payload, ""
        input_ref = f"{new.id}/0/input.json"
        self.artifacts.put(input_ref, [payload])
        return b"", input_ref

    def _conversation(self, new: NewJob) -> list[str]:
        return self.keys.of_conversation(new.turn.conversation) if new.turn else []

    def _turn(self, new: NewJob) -> list[str | bytes]:
        if new.turn is None:
            return []
        asked = {
            "message": new.turn.message,
            "new": new.turn.new,
            "most": self.settings.conversation_bytes,
            "retention": math.ceil(self.settings.conversation_retention * 1000),
        }
        # The script puts the turn's number in place of the last field.
        return ["conversation", new.turn.conversation, "turn", orjson.dumps(asked)]

    def _idempotency(self, new: NewJob) -> tuple[str, str]:
        if new.idempotency is None:
            return "", ""
        digest = hashlib.sha256(new.idempotency.key.encode()).hexdigest()
        return self.keys.idempotency(new.owner, digest), new.idempotency.fingerprint

    def _limits(self) -> tuple[int, int, int]:
        return self.settings.max_queue, self.settings.max_waiting, self.settings.max_running

    def _not_created(self, new: NewJob, kind: bytes, rest: Sequence[Any]) -> Job:
        if kind == b"full":
            limit = rest[0].decode()
            metrics.JOBS_REFUSED.add(limit)
            raise LimitReached(limit, retry_after(self.redis, self.keys, self.settings, new.queue, limit))
        if kind == b"reused":
            raise KeyReused
        if kind in REFUSED:
            raise REFUSED[kind]
        job = self.get(rest[0].decode() if kind == b"replayed" else new.id)
        if job is None:
            raise JobGone
        return job


def place(rank: int | None, rate: float) -> Place:
    """The place in a line (1 is next, 0 is none) and the seconds until its turn, None when nothing is known of them."""
    if rank is None:
        return 0, None
    return rank + 1, round((rank + 1) / rate, 1) if rate else None
