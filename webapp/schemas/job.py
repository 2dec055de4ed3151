"""A job as its owner reads it."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from tasks.jobs import Status
from webapp.schemas.document import Document, Part
from webapp.schemas.webhook import WebhookSchema


class ProgressSchema(Part):
    """How far the job is, by its own account."""

    fraction = ma.fields.Float(required=True, metadata={"description": "0 to 1.", "minimum": 0, "maximum": 1})
    message = ma.fields.String(required=True)


class QueueSchema(Part):
    """Where a pending job stands."""

    position = ma.fields.Integer(required=True, metadata={"description": "1 is next."})
    wait_seconds = ma.fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Estimated from the rate of the last minute; null while that is unknown."},
    )


class JobErrorSchema(Part):
    """Why the job failed."""

    code = ma.fields.String(required=True, metadata={"description": "A word for programs."})
    detail = ma.fields.String(required=True, metadata={"description": "A sentence for people."})


class ArtifactSchema(Part):
    """A file that the job made."""

    name = ma.fields.String(required=True)
    media_type = ma.fields.String(required=True)
    size = ma.fields.Integer(required=True, metadata={"description": "In bytes."})
    removed = ma.fields.Boolean(required=True, metadata={"description": "Whether it is gone already."})
    url = ma.fields.String(required=True, metadata={"description": "Where it is fetched and deleted."})


class JobSchema(Document):
    """One run of an agent. Times are RFC 3339 in UTC."""

    id = ma.fields.UUID(required=True)
    agent = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": [status.value for status in Status]})
    progress = ma.fields.Nested(ProgressSchema, required=True)
    queue = ma.fields.Nested(
        QueueSchema, required=True, allow_none=True, metadata={"description": "Null unless the job is pending."}
    )
    created_at = ma.fields.DateTime(required=True)
    started_at = ma.fields.DateTime(required=True, allow_none=True)
    completed_at = ma.fields.DateTime(required=True, allow_none=True)
    attempts = ma.fields.Integer(required=True, metadata={"description": "How often it has been started."})
    result = ma.fields.Raw(
        required=True, allow_none=True, metadata={"description": "What the agent returned; null until it has."}
    )
    error = ma.fields.Nested(JobErrorSchema, required=True, allow_none=True)
    usage = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.Integer(),
        required=True,
        metadata={"description": "What the job used, such as tokens."},
    )
    artifacts = ma.fields.List(ma.fields.Nested(ArtifactSchema), required=True)
    webhook = ma.fields.Nested(
        WebhookSchema, required=True, allow_none=True, metadata={"description": "Null unless one was asked for."}
    )
    last_event_id = ma.fields.String(required=True, allow_none=True)
    expires_at = ma.fields.DateTime(
        required=True, allow_none=True, metadata={"description": "When the job and its files are forgotten."}
    )


class JobSummarySchema(JobSchema):
    """A job in a listing: everything but its result."""

    class Meta(JobSchema.Meta):
        """Results may be large; each has a path of its own."""

        exclude = ("result",)


class JobsSchema(Document):
    """A page of jobs, the newest first."""

    jobs = ma.fields.List(ma.fields.Nested(JobSummarySchema), required=True)
    next_cursor = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "Give it as `cursor` for the next page; null: none."}
    )


class JobResultSchema(Document):
    """What a job came to."""

    result = ma.fields.Raw(required=True, allow_none=True, metadata={"description": "What the agent returned."})


JOB_ID = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"

PENDING_JOB: dict[str, Any] = {
    "id": JOB_ID,
    "agent": "ai_service",
    "status": "pending",
    "progress": {"fraction": 0.0, "message": ""},
    "queue": {"position": 3, "wait_seconds": 4.5},
    "created_at": "2026-01-15T09:30:00.120000+00:00",
    "started_at": None,
    "completed_at": None,
    "attempts": 0,
    "result": None,
    "error": None,
    "usage": {},
    "artifacts": [],
    "webhook": None,
    "last_event_id": None,
    "expires_at": None,
}

COMPLETED_JOB = PENDING_JOB | {
    "status": "completed",
    "progress": {"fraction": 1.0, "message": ""},
    "queue": None,
    "started_at": "2026-01-15T09:30:04.610000+00:00",
    "completed_at": "2026-01-15T09:30:06.020000+00:00",
    "attempts": 1,
    "result": "The text makes three points.",
    "usage": {"prompt_tokens": 212, "completion_tokens": 58},
    "last_event_id": "1-4",
    "expires_at": "2026-01-16T09:30:06.020000+00:00",
}

LISTED_JOB = {name: value for name, value in COMPLETED_JOB.items() if name != "result"}
