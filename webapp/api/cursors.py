"""Cursors: where the next page of a listing begins, as text that callers hand back and do not read."""

from __future__ import annotations

import base64
import binascii
import re

from tasks.jobs.listing import Position
from webapp.http.problem import Problem

_POSITION = re.compile(rb"(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def encode_cursor(position: Position | None) -> str | None:
    """The cursor of a position; None for none."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(f"{position.created}.{position.job_id}".encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> Position:
    """The position that a cursor stands for. Raises a `Problem` with 400 when it is none of ours."""
    try:
        # Strictly: the lax decoder skips what is not of its alphabet, and then many cursors are one.
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    found = _POSITION.fullmatch(raw)
    if found is None:
        raise Problem(400, "invalid_cursor", "This is no cursor of this listing; leave it out to begin anew.")
    return Position(int(found[1]), found[2].decode())
