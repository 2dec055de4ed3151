"""What a principal has used."""

from __future__ import annotations

import marshmallow as ma

from tasks.jobs.accounts import LONGEST
from webapp.schemas.document import Document, Part
from webapp.schemas.fields import Whole


class WindowSchema(ma.Schema):
    """The query of the usage."""

    class Meta:
        """A misspelled member is an error."""

        unknown = ma.RAISE

    days = Whole(
        text=True,
        load_default=30,
        validate=ma.validate.Range(1, LONGEST),
        metadata={"description": "How many days, today (UTC) included.", "example": 30},
    )


class JobCountsSchema(Part):
    """Jobs that ended in the window."""

    completed = ma.fields.Integer(required=True)
    failed = ma.fields.Integer(required=True)
    canceled = ma.fields.Integer(required=True)


class TokenCountsSchema(Part):
    """Tokens of the jobs that ended in the window."""

    prompt_tokens = ma.fields.Integer(required=True)
    completion_tokens = ma.fields.Integer(required=True)
    total_tokens = ma.fields.Integer(required=True)


class BudgetSchema(Part):
    """The tokens that may be spent in this month (UTC), whatever the window; null when there is no limit."""

    tokens = ma.fields.Integer(required=True, metadata={"description": "Of a whole month."})
    spent = ma.fields.Integer(required=True, metadata={"description": "By jobs that have ended."})
    resets_at = ma.fields.DateTime(required=True)


class UsageSchema(Document):
    """What you have used."""

    first_day = ma.fields.Date(required=True)
    last_day = ma.fields.Date(required=True)
    jobs = ma.fields.Nested(JobCountsSchema, required=True)
    tokens = ma.fields.Nested(TokenCountsSchema, required=True)
    credits = ma.fields.Integer(required=True, metadata={"description": "Of results that were delivered."})
    budget = ma.fields.Nested(BudgetSchema, required=True, allow_none=True)


USAGE = {
    "first_day": "2026-01-01",
    "last_day": "2026-01-30",
    "jobs": {"completed": 41, "failed": 1, "canceled": 2},
    "tokens": {"prompt_tokens": 8692, "completion_tokens": 2378, "total_tokens": 11070},
    "credits": 82,
    "budget": {"tokens": 1_000_000, "spent": 11070, "resets_at": "2026-02-01T00:00:00+00:00"},
}
