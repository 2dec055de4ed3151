"""What a listing of jobs can be asked for."""

from __future__ import annotations

import marshmallow as ma

from tasks.jobs import Status
from webapp.schemas.cursor import CursorField
from webapp.schemas.fields import Whole

MOST = 100  # jobs of a page: about 100 KiB of JSON
USUAL = 20


class ListingSchema(ma.Schema):
    """The query of a listing."""

    class Meta:
        """A misspelled filter must not list everything."""

        unknown = ma.RAISE

    limit = Whole(
        text=True,
        load_default=USUAL,
        validate=ma.validate.Range(1, MOST),
        metadata={"description": "The most jobs of a page.", "example": USUAL},
    )
    cursor = CursorField()
    status = ma.fields.String(
        validate=ma.validate.OneOf([status.value for status in Status]),
        metadata={"description": "Only jobs of this status.", "example": "running"},
    )
    agent = ma.fields.String(metadata={"description": "Only jobs of this agent.", "example": "ai_service"})
