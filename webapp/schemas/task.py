"""A task: a job of an agent that takes one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from tasks.jobs import Status
from tasks.sdk import Parameter
from webapp.schemas.document import Document
from webapp.schemas.job import JOB_ID, JobErrorSchema, ProgressSchema

USUAL = "analysis"


class TaskInputBase(ma.Schema):
    """Base of the schema made here."""

    class Meta:
        """A misspelled member is an error."""

        unknown = ma.RAISE


def task_input(types: Mapping[str, Parameter]) -> ma.Schema:
    """The body of a new task; `types` are the agents that can do one, with the parameter that the text is for."""
    usual: dict[str, Any] = {"load_default": USUAL} if USUAL in types else {"required": True}
    task_type = ma.fields.String(
        validate=ma.validate.OneOf(sorted(types)),
        metadata={"description": "The agent that does it.", "example": USUAL if USUAL in types else min(types)},
        **usual,
    )
    prompt = ma.fields.String(
        required=True,
        # What all of them demand. Further limits are those of each agent.
        validate=ma.validate.Length(min=min(each.param.min_length or 0 for each in types.values())),
        metadata={"description": "The text.", "example": "A short text."},
    )
    return TaskInputBase.from_dict({"prompt": prompt, "task_type": task_type}, name="TaskInput")()


class TaskSchema(Document):
    """A task, which is a job: `/v1/jobs/{id}` tells more of it."""

    task_id = ma.fields.UUID(required=True)
    task_type = ma.fields.String(required=True)
    status = ma.fields.String(required=True, metadata={"enum": [status.value for status in Status]})
    progress = ma.fields.Nested(ProgressSchema, required=True)
    result = ma.fields.Raw(required=True, allow_none=True, metadata={"description": "Null until it has completed."})
    error = ma.fields.Nested(JobErrorSchema, required=True, allow_none=True)
    created_at = ma.fields.DateTime(required=True)
    completed_at = ma.fields.DateTime(required=True, allow_none=True)


PENDING_TASK: dict[str, Any] = {
    "task_id": JOB_ID,
    "task_type": "analysis",
    "status": "pending",
    "progress": {"fraction": 0.0, "message": ""},
    "result": None,
    "error": None,
    "created_at": "2026-01-15T09:30:00.120000+00:00",
    "completed_at": None,
}

COMPLETED_TASK = PENDING_TASK | {
    "status": "completed",
    "progress": {"fraction": 1.0, "message": "done"},
    "result": "The text makes three points.",
    "completed_at": "2026-01-15T09:30:06.020000+00:00",
}
