"""Cursors: where the next page of a listing begins, as text that callers hand back and do not read."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma

from tasks.jobs.listing import Position

# Plain enough for the document to say exactly what a cursor is.
_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def encode_cursor(position: Position | None) -> str | None:
    """The cursor of a position; None for none."""
    return None if position is None else f"{position.created}.{position.job_id}"


class CursorField(ma.fields.Field[Position]):
    """The position that a cursor stands for."""

    def __init__(self) -> None:
        description = "`next_cursor` of the page before."
        super().__init__(metadata={"type": "string", "pattern": f"^{_CURSOR.pattern}$", "description": description})

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Position:
        found = _CURSOR.fullmatch(value)
        if found is None:
            raise ma.ValidationError("is no cursor of this listing; leave it out to begin anew")
        return Position(int(found[1]), found[2])
