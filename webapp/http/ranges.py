"""Conditional and partial requests (RFC 9110, 13 and 14) for something that never changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from werkzeug.wrappers import Request

from webapp.http.problem import Problem

# Only these read: the answer to a POST is new and whole, whatever the caller has seen before.
READING = frozenset({"GET", "HEAD"})
# One range of bytes. No file has a size of more than 18 digits.
_RANGE = re.compile(r"bytes=(?=\d|-\d)(?P<first>\d{0,18})-(?P<last>\d{0,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Selection:
    """Which bytes to answer with, and the status that says so. `end` is exclusive."""

    status: HTTPStatus
    start: int
    end: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.end - 1}/{size}"


def select(request: Request, etag: str, size: int) -> Selection:
    """Find out what `request` wants of `size` bytes whose strong validator is `etag` (without quotes).

    Raises a `Problem` with 412 or 416. Several ranges, and those that nobody can read, are answered with everything,
    as the standard allows.
    """
    whole = Selection(HTTPStatus.OK, 0, size)
    if request.method not in READING:
        return whole
    if request.if_match and not request.if_match.contains(etag):
        raise Problem(412, "precondition_failed", "The file is not the one that If-Match names.")
    if request.if_none_match.contains_weak(etag):
        return Selection(HTTPStatus.NOT_MODIFIED, 0, 0)
    # Range is defined for GET alone.
    return _part(request, etag, size) or whole if request.method == "GET" else whole


def _part(request: Request, etag: str, size: int) -> Selection | None:
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or not _still_the_same(request, etag):
        return None
    first, last = wanted["first"], wanted["last"]
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):  # not a range at all
            return None
    else:
        start, end = max(size - int(last), 0), size
    if start >= end:
        headers = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}
        raise Problem(416, "range_not_satisfiable", f"The file has {size} bytes.", headers=headers)
    return Selection(HTTPStatus.PARTIAL_CONTENT, start, end)


def _still_the_same(request: Request, etag: str) -> bool:
    # A weak validator and a date are no proof that the parts fit together.
    sent = request.headers.get("If-Range")
    return sent is None or sent.strip() == f'"{etag}"'
