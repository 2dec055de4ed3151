"""Server-sent events: how a frame is written, and the answer that carries them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
from flask import Response

from tasks import metrics
from tasks.jobs import Event

MEDIA_TYPE = "text/event-stream"
# How soon a client comes back when its stream breaks. A stream that we end ourselves, because the process drains,
# adds up to as much again by chance: thousands of clients at the same moment would be a storm for the others.
RETRY_MS = 2000

HEARTBEAT = b": \n\n"
_LINE_END = re.compile(r"\r\n|\r|\n")


def frame(data: Any, *, id: str = "", event: str = "") -> bytes:
    """A frame whose data is `data` as one line of JSON."""
    return _head(id, event) + b"data: " + orjson.dumps(data) + b"\n\n"


def text_frame(text: str, *, id: str = "", event: str = "") -> bytes:
    """A frame whose data is plain text, of any number of lines."""
    lines = b"".join(b"data: " + line.encode() + b"\n" for line in _LINE_END.split(text))
    return _head(id, event) + lines + b"\n"


def event_frame(event: Event) -> bytes:
    """An event of a job as its frame: a client resumes with the id."""
    return frame(event.data, id=event.id, event=event.type)


def comment(text: str) -> bytes:
    """A frame that clients ignore."""
    return b"".join(b": " + line.encode() + b"\n" for line in _LINE_END.split(text)) + b"\n"


def retry(milliseconds: int = RETRY_MS) -> bytes:
    """Tell the client how long to wait before it connects again."""
    return b"retry: %d\n\n" % milliseconds


def follow(events: Iterable[Event | None], encode: Callable[[Event], bytes] = event_frame) -> Iterator[bytes]:
    """The frames of a whole stream: `retry:` first, then each event, and a comment for each heartbeat (None).

    When the events end without a terminal one, there is more to come elsewhere: another `retry:` says when to ask.
    """
    yield retry()
    ended = False
    for event in events:
        yield HEARTBEAT if event is None else encode(event)
        ended = event is not None and event.terminal
    if not ended:
        yield retry(RETRY_MS + random.randrange(RETRY_MS))  # noqa: S311


def sse_response(frames: Iterable[bytes], close: Callable[[], object] | None = None) -> Response:
    """Answer with a stream. `close` is called when it is over, also when not one frame of it was asked for.

    The caller's absence is seen when a frame cannot be sent, a heartbeat at the latest.
    """
    # Passed through, the server iterates the frames themselves. Werkzeug's layers around them would cost each idle
    # stream another 2 KiB, most of it stack.
    response = Response(_Body(frames, close), mimetype=MEDIA_TYPE, direct_passthrough=True)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    return response


class _Body:
    """The frames of a stream, and what to do when the server lets go of them.

    A generator that was never started runs no `finally`, and a passed-through response no `call_on_close`; but every
    server closes the body, and so does Werkzeug in place of a body that it does not send.
    """

    __slots__ = ("_close", "_frames", "_open")

    def __init__(self, frames: Iterable[bytes], close: Callable[[], object] | None) -> None:
        self._frames = frames
        self._close = close
        self._open = True
        metrics.STREAMS_OPEN.add(1)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._frames)

    def close(self) -> None:
        closing, self._close = self._close, None
        if self._open:
            self._open = False
            metrics.STREAMS_OPEN.add(-1)
        try:
            close_frames = getattr(self._frames, "close", None)
            if close_frames is not None:
                close_frames()
        finally:
            if closing is not None:
                closing()


def _head(id: str, event: str) -> bytes:
    if _LINE_END.search(id + event) or "\0" in id:
        raise ValueError("an id or a type of an event may not hold a line end")
    id_line = f"id: {id}\n" if id else ""
    event_line = f"event: {event}\n" if event else ""
    return (id_line + event_line).encode()
