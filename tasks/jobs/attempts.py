"""The worker's door to jobs: one try at a job, under a lease, behind a fence."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import orjson
from redis import Redis
from redis.exceptions import NoScriptError, RedisError

from tasks import metrics
from tasks.jobs import scripts
from tasks.jobs.keys import Keys
from tasks.jobs.message import make_message
from tasks.jobs.pipelined import Pipelined
from tasks.jobs.record import RECORD_VERSION, ArtifactInfo, Job, JobError, Status, encode_artifacts
from tasks.jobs.settings import EngineSettings

STALE = "stale"
ALIVE = "alive"
CONDEMNED_FOR = 2000  # ms that a process has to die in after it wrote its verdict


def new_nonce() -> str:
    """What a claim is recognised by."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Claim:
    """A job in the hands of this worker. The nonce tells our own claim from another's."""

    job: Job
    nonce: str

    @property
    def attempt(self) -> int:
        return self.job.attempt


@dataclass(frozen=True)
class Draft:
    """An event before it is written; its id will be `<attempt>-<seq>`. `data` is JSON."""

    seq: int
    type: str
    data: bytes


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: what finish writes into the record, and the data of the terminal event."""

    status: Literal[Status.COMPLETED, Status.FAILED, Status.CANCELED]
    data: Mapping[str, Any]
    result: Any = None
    result_ref: str = ""
    error: JobError | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    artifacts: Sequence[ArtifactInfo] = ()
    answer: str | None = None  # to the message of a conversation

    def fields(self) -> list[str | bytes]:
        """The record's fields as a flat list."""
        fields: list[str | bytes] = ["usage", orjson.dumps(self.usage), "artifacts", encode_artifacts(self.artifacts)]
        if self.result_ref:
            fields += ["result_ref", self.result_ref]
        elif self.status is Status.COMPLETED:
            fields += ["result", orjson.dumps(self.result)]
        if self.error:
            fields += ["error", orjson.dumps({"code": self.error.code, "detail": self.error.detail})]
        return fields


# The events of one attempt that go into the log together, and its end if this is the end.
Batch = tuple[Claim, Sequence[Draft], Ending | None]


class Attempts:
    """Every transition that a worker or the keeper makes. All of them are safe to repeat."""

    def __init__(self, redis: Redis, settings: EngineSettings, worker: str) -> None:
        self.redis = redis
        self._pipelined = Pipelined(redis)
        self.settings = settings
        self.worker = worker
        self.keys = Keys(settings.namespace)
        self._lease = math.ceil(settings.lease * 1000)
        self._retention = math.ceil(settings.retention * 1000)

    def claim(self, job_id: str, queue: str, nonce: str = "") -> Claim | None:
        """Take a job alone. None: it has ended, somebody holds it, or there is no such job."""
        return next(iter(self._take(scripts.claim, job_id, queue, nonce or new_nonce(), 0)), None)

    def claim_with_company(self, job_id: str, queue: str, nonce: str) -> list[Claim]:
        """Take a job and those that wait to be run together with it. Its own claim comes first; empty: as `claim`.

        Who tries again after an error gives the same nonce, so that a claim whose reply was lost is recognised.
        """
        return self._take(scripts.claim, job_id, queue, nonce, 1)

    def join(self, claim: Claim) -> list[Claim]:
        """Take more jobs that may be run together with this one. All that are with it are returned, as before."""
        return self._take(scripts.join, claim.job.id, claim.job.queue, claim.nonce)

    def _take(self, script: scripts.Script, job_id: str, queue: str, nonce: str, *more: int) -> list[Claim]:
        head: list[scripts.Argument] = [job_id, nonce, self._lease, self.worker]
        args = [*head, self.settings.max_losses, RECORD_VERSION, *more]
        records = script(self._pipelined, self.keys.transition(job_id, queue), args) or []
        return [Claim(_job(*record), nonce) for record in records]

    def write(self, batches: Sequence[Batch]) -> list[str | RedisError]:
        """Append events, and finish the attempts that have an ending, in one round trip.

        Returns for each batch the job's status, `stale` when the attempt holds the job no longer, or the error
        that kept Redis from taking this one.
        """
        pipeline = self.redis.pipeline(transaction=False)
        calls = [self._call(claim, drafts, ending) for claim, drafts, ending in batches]
        for script, keys, args in calls:
            script.queue(pipeline, keys, args)
        answers = pipeline.execute(raise_on_error=False)
        return [self._answer(answer, *call) for answer, call in zip(answers, calls, strict=True)]

    def renew(self, claims: Sequence[Claim]) -> list[str]:
        """Renew the leases of all claims at once. Returns the job's status for each, or `stale`.

        The same job may be there twice: an attempt that was lost and does not know it yet, and its successor.
        """
        if not claims:
            return []
        keys = [self.keys.leases, *(self.keys.job(claim.job.id) for claim in claims)]
        args: list[scripts.Argument] = [self._lease]
        for claim in claims:
            args += [claim.job.id, claim.attempt]
        return [answer.decode() for answer in scripts.renew(self.redis, keys, args)]

    def checkpoint(self, claim: Claim, name: str, value: bytes) -> str:
        """Keep a JSON value for later attempts. Returns `ok`, or `stale` when nothing was written."""
        return self._transition(scripts.checkpoint, claim.job, [claim.attempt, name, value])

    def hand_back(self, claim: Claim) -> str:
        """Give the job to another worker. No loss is counted."""
        message = make_message(claim.job.id, claim.job.queue)
        args: list[scripts.Argument] = [claim.job.id, claim.attempt, message, self._retention]
        outcome = self._transition(scripts.hand_back, claim.job, args)
        if outcome != STALE:
            metrics.JOBS_HANDED_BACK.add(claim.job.agent, claim.job.queue)
        return outcome

    def condemn(self, claim: Claim, error: JobError | None) -> str:
        """Say that this process ends itself. With an error the job will be failed with it."""
        verdict = orjson.dumps({"code": error.code, "detail": error.detail}) if error else b""
        return self._transition(scripts.condemn, claim.job, [claim.job.id, claim.attempt, verdict, CONDEMNED_FOR])

    def lose(self, job: Job, cause: Literal["expired", "gone"]) -> str:
        """The worker of this attempt is no more: let the job wait again, or end it."""
        message = make_message(job.id, job.queue)
        args: list[scripts.Argument] = [
            *(job.id, job.attempt, cause, message),
            *(self.settings.max_losses, self._retention, math.ceil(self.settings.dead_retention * 1000)),
        ]
        outcome = self._transition(scripts.lose, job, args)
        if outcome not in (STALE, ALIVE):
            metrics.JOBS_LOST.add(job.agent, job.queue)
        if outcome in (Status.FAILED, Status.CANCELED):
            metrics.JOBS_ENDED.add(job.agent, job.queue, outcome)
        return outcome

    def push(self, job_id: str, queue: str) -> bool:
        """Send the message of a waiting job again. False: it waits no longer."""
        args: list[scripts.Argument] = [job_id, make_message(job_id, queue)]
        return bool(scripts.push(self.redis, self.keys.transition(job_id, queue), args))

    def get(self, job_id: str) -> Job | None:
        stored: Any = self.redis.hgetall(self.keys.job(job_id))
        return Job.from_hash(job_id, stored) if stored else None

    def _answer(
        self, answer: bytes | RedisError, script: scripts.Script, keys: list[str], args: list[scripts.Argument]
    ) -> str | RedisError:
        if isinstance(answer, NoScriptError):  # Redis was restarted and has forgotten its scripts
            answer = cast(bytes, script(self.redis, keys, args))
        return answer if isinstance(answer, RedisError) else answer.decode()

    def _transition(self, script: scripts.Script, job: Job, args: Sequence[scripts.Argument]) -> str:
        answer: bytes = script(self.redis, self.keys.transition(job.id, job.queue), args)
        return answer.decode()

    def _call(
        self, claim: Claim, drafts: Sequence[Draft], ending: Ending | None
    ) -> tuple[scripts.Script, list[str], list[scripts.Argument]]:
        events: list[scripts.Argument] = []
        for draft in drafts:
            events += [draft.seq, draft.type, draft.data]
        if ending is None:
            return scripts.append, self.keys.said(claim.job.id), [claim.attempt, *events]
        fields = ending.fields()
        head: list[scripts.Argument] = [claim.job.id, claim.attempt, claim.nonce, ending.status.value, self._retention]
        keys = self.keys.transition(claim.job.id, claim.job.queue)
        if ending.answer is not None:
            keys += self.keys.of_conversation(claim.job.conversation)
        return scripts.finish, keys, [*head, ending.answer or "", len(fields), *fields, *events]


def _job(job_id: bytes, flat: Sequence[bytes]) -> Job:
    return Job.from_hash(job_id.decode(), dict(zip(flat[::2], flat[1::2], strict=True)))
