"""A job as it is submitted: what its record is made of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from tasks.jobs.record import RECORD_VERSION, Batching, Job, Place, Status
from tasks.jobs.webhooks.subscription import Webhook


@dataclass(frozen=True)
class Idempotency:
    """The caller's key, and a fingerprint of the request that it was first sent with."""

    key: str
    fingerprint: str


@dataclass(frozen=True)
class NewTurn:
    """The message that a job answers. It goes into the conversation in the step that submits the job."""

    conversation: str
    message: str
    new: bool = False  # the conversation begins with it


@dataclass(frozen=True)
class NewJob:
    """A job to submit. `timeout` in seconds bounds one attempt; `payload` is the input as JSON values."""

    agent: str
    queue: str
    owner: str
    timeout: float
    payload: Mapping[str, Any]
    request_id: str = ""
    traceparent: str = ""
    idempotency: Idempotency | None = None
    webhook: Webhook | None = None
    turn: NewTurn | None = None
    batching: Batching | None = None
    reply: str = ""  # the channel on which somebody waits for its end
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


def fields_of(new: NewJob, *, payload: bytes, input_ref: str) -> list[str | bytes | int | float]:
    """The fields that submit writes beside status and created_at, as a flat list. What is empty is left out.

    Each field costs some sixty bytes, and thousands of jobs may wait.
    """
    return [
        *("version", RECORD_VERSION),
        *("agent", new.agent),
        *("queue", new.queue),
        *("attempt", 0),
        *("losses", 0),
        *("timeout", new.timeout),
        *(("request_id", new.request_id) if new.request_id else ()),
        *(("input_ref", input_ref) if input_ref else ("input", payload)),
        *(("webhook", new.webhook.encode()) if new.webhook else ()),
        *(("traceparent", new.traceparent) if new.traceparent else ()),
        *(("batch", orjson.dumps(new.batching)) if new.batching else ()),
        *(("reply", new.reply) if new.reply else ()),
    ]


def created_job(new: NewJob, input_ref: str, created: int, place: Place) -> Job:
    """The job as its record reads right after submit, without reading it."""
    return Job(
        version=RECORD_VERSION,
        id=new.id,
        agent=new.agent,
        queue=new.queue,
        owner=new.owner,
        status=Status.PENDING,
        attempt=0,
        losses=0,
        timeout=float(new.timeout),
        created_at=datetime.fromtimestamp(created / 1000, UTC),
        request_id=new.request_id,
        traceparent=new.traceparent,
        payload=None if input_ref else new.payload,
        input_ref=input_ref,
        webhook=new.webhook,
        conversation=new.turn.conversation if new.turn else "",
        batching=new.batching,
        place=place,
    )
