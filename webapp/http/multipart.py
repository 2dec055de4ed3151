"""Read one file out of a multipart body while it arrives: nothing of it is collected, in memory or in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Request
from werkzeug.sansio.multipart import NEED_DATA, Data, Epilogue, Event, Field, File, MultipartDecoder, Preamble

from webapp.http.content import HEAD, fits, type_of
from webapp.http.problem import Problem

PIECE = 64 * 1024
# What may wait in memory for the end of a part's headers. A piece of the content never waits.
WAITING = 2 * PIECE
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class IncomingFile:
    """A file whose content is still on its way. `chunks` raises a `Problem` when the body turns out to be malformed."""

    name: str
    media_type: str
    chunks: Iterator[bytes]


def receive_file(request: Request, field: str) -> IncomingFile:
    """The one part of the body, which must be a file of this field. Raises a `Problem`.

    Its type is what its first bytes say; where they say nothing, what the caller does.
    """
    events = _events(request)
    first = next(event for event in events if not isinstance(event, Preamble))
    if not isinstance(first, File) or first.name != field:
        raise _unfit(field, "Send one file under this name, and nothing else.")
    content = _content(events, field)
    head = b""
    while len(head) < HEAD and (piece := next(content, b"")):
        head += piece
    declared = first.headers.get("Content-Type", UNKNOWN).partition(";")[0].strip().lower()
    if not fits(declared, head):
        raise _unfit(field, f"This is no {declared}.")
    return IncomingFile(first.filename, type_of(head) or declared, _joined(head, content))


def _events(request: Request) -> Iterator[Event]:
    """What the body is made of, to its end."""
    decoder = MultipartDecoder(request.mimetype_params.get("boundary", "").encode(), WAITING)
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if event is NEED_DATA:
                decoder.receive_data(request.stream.read(PIECE) or None)
            else:
                yield event
        yield event
    except ValueError as error:
        raise Problem(400, "malformed_body", "The body is not a whole multipart form.") from error


def _content(events: Iterator[Event], field: str) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Field | File):
            raise _unfit(field, "Send one file under this name, and nothing else.")
        if isinstance(event, Data) and event.data:
            yield event.data


def _joined(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _unfit(field: str, message: str) -> Problem:
    fault = {"location": "body", "field": field, "message": message}
    return Problem(422, "validation_failed", "The input is not valid: `errors` says where and why.", errors=[fault])
