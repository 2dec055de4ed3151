"""The record of a job: the truth about it, whatever happens to messages and workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson

from tasks.jobs.webhooks.subscription import Delivery, Webhook, decode_log

# Raised when the meaning of a field changes, so that records of an older version can be told apart.
RECORD_VERSION = 1

Place = tuple[int, float | None]  # see `Engine.queue_place`


class Status(StrEnum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    CANCELING = "canceling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELED)


@dataclass(frozen=True)
class Batching:
    """A job may be run together with others of this name, of the same agent and queue: up to `size` of them.

    The first that is taken waits `delay` seconds for more, once.
    """

    name: str
    size: int
    delay: float = 0.0


@dataclass(frozen=True)
class ArtifactInfo:
    """An artifact as the record knows it. `key` finds it in the store."""

    name: str
    media_type: str
    size: int
    key: str
    attempt: int
    removed: bool = False


@dataclass(frozen=True)
class JobError:
    """Why a job failed: `code` for programs, `detail` for its owner."""

    code: str
    detail: str


@dataclass(frozen=True)
class Job:
    """A job as read from its record. Times are UTC; `timeout` is in seconds."""

    version: int
    id: str
    agent: str
    queue: str
    owner: str
    status: Status
    attempt: int
    losses: int
    timeout: float
    created_at: datetime
    request_id: str = ""
    traceparent: str = ""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    progress_fraction: float = 0.0
    progress_message: str = ""
    payload: Mapping[str, Any] | None = None
    input_ref: str = ""
    result: Any = None
    result_ref: str = ""
    error: JobError | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    artifacts: tuple[ArtifactInfo, ...] = ()
    last_event_id: str = ""
    worker: str = ""
    webhook: Webhook | None = None
    deliveries: tuple[Delivery, ...] = ()
    redelivery: float = 0.0
    conversation: str = ""
    turn: int = 0  # its place in the conversation, from 1 on
    checkpoints: Mapping[str, Any] = field(default_factory=dict)
    batching: Batching | None = None
    company: tuple[str, ...] = ()  # the jobs that were taken together with it
    place: Place | None = field(default=None, compare=False)  # of one that was just submitted

    def artifact(self, name: str) -> ArtifactInfo | None:
        return next((each for each in self.artifacts if each.name == name), None)

    @classmethod
    def from_hash(cls, job_id: str, stored: Mapping[bytes, bytes]) -> Job:
        """Read the hash that the scripts keep."""
        return _Reader(stored).job(job_id)


def ended_job(message: bytes) -> Job:
    """Read what a reply channel says of a job that has ended: all but its input and its checkpoints."""
    job_id, _, told = message.partition(b" ")
    fields = [each.encode() for each in orjson.loads(told)]
    return Job.from_hash(job_id.decode(), dict(zip(fields[::2], fields[1::2], strict=True)))


def encode_artifacts(artifacts: Sequence[ArtifactInfo]) -> bytes:
    """As finish writes them: once. What is removed later is noted in a field of its own."""
    return orjson.dumps([{k: v for k, v in asdict(each).items() if k != "removed"} for each in artifacts])


class _Reader:
    def __init__(self, stored: Mapping[bytes, bytes]) -> None:
        self._stored = stored

    def text(self, name: str) -> str:
        return self._stored.get(name.encode(), b"").decode()

    def number(self, name: str) -> int:
        return int(self._stored.get(name.encode(), b"0"))

    def moment(self, name: str) -> datetime | None:
        raw = self._stored.get(name.encode())
        return datetime.fromtimestamp(int(raw) / 1000, UTC) if raw else None

    def value(self, name: str, default: Any = None) -> Any:
        raw = self._stored.get(name.encode())
        return orjson.loads(raw) if raw else default

    def named(self, prefix: str) -> dict[str, Any]:
        """The JSON values of all fields with this prefix, by the rest of their names."""
        found = ((name.decode(), value) for name, value in self._stored.items())
        return {name.removeprefix(prefix): orjson.loads(value) for name, value in found if name.startswith(prefix)}

    def artifact(self, stored: Mapping[str, Any]) -> ArtifactInfo:
        return ArtifactInfo(**stored, removed=f"removed:{stored['name']}".encode() in self._stored)

    def job(self, job_id: str) -> Job:
        progress = self.value("progress", {})
        error = self.value("error")
        return Job(
            version=self.number("version"),
            id=job_id,
            agent=self.text("agent"),
            queue=self.text("queue"),
            owner=self.text("owner"),
            status=Status(self.text("status")),
            attempt=self.number("attempt"),
            losses=self.number("losses"),
            timeout=float(self.text("timeout") or 0),
            created_at=self.moment("created_at") or datetime.fromtimestamp(0, UTC),
            request_id=self.text("request_id"),
            traceparent=self.text("traceparent"),
            started_at=self.moment("started_at"),
            completed_at=self.moment("completed_at"),
            expires_at=self.moment("expires_at"),
            progress_fraction=progress.get("fraction", 0.0),
            progress_message=progress.get("message", ""),
            payload=self.value("input"),
            input_ref=self.text("input_ref"),
            result=self.value("result"),
            result_ref=self.text("result_ref"),
            error=JobError(**error) if error else None,
            usage=self.value("usage", {}),
            artifacts=tuple(self.artifact(each) for each in self.value("artifacts", [])),
            last_event_id=self.text("last_event_id"),
            worker=self.text("worker"),
            webhook=Webhook.decode(webhook) if (webhook := self.value("webhook")) else None,
            deliveries=decode_log(self.value("deliveries", [])),
            redelivery=self.number("redelivery") / 1000,
            conversation=self.text("conversation"),
            turn=self.number("turn"),
            checkpoints=self.named("checkpoint:"),
            batching=Batching(**batch) if (batch := self.value("batch")) else None,
            company=tuple(self.value("company", ())),
        )
