"""Traces by W3C Trace Context, joined across the queue.

What a caller sends as `traceparent` goes on through the job's record to the worker and to the model server. Where
OpenTelemetry is set up (see `exporting.py`) each of them adds a span of its own; where it is not, the caller's id is
handed on as it came, and nothing is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

Kind = Literal["server", "consumer", "client"]

# Version 00, and what later versions have in the same places. All zeros are no id.
_VALID = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

_current: ContextVar[str] = ContextVar("traceparent", default="")


class Span(Protocol):
    """A piece of work in a trace."""

    @property
    def traceparent(self) -> str:
        """What those get who go on with this work."""

    def end(self, name: str = "", *, failed: bool = False, **attributes: str | int) -> None:
        """Say that it is over, under a better name if there is one by now."""


class Tracer(Protocol):
    """What makes spans and sends them somewhere."""

    def begin(self, name: str, kind: Kind, parent: str) -> Span: ...


class _Passing:
    """No span: the caller's id goes on as it came."""

    def __init__(self, parent: str) -> None:
        self.traceparent = parent

    def end(self, name: str = "", *, failed: bool = False, **attributes: str | int) -> None:
        """Nothing was begun."""


_tracer: Tracer | None = None


def use(tracer: Tracer) -> None:
    """Make spans with this from now on, in this process."""
    global _tracer  # noqa: PLW0603 - one a process, as its log is
    _tracer = tracer


def valid(traceparent: str) -> str:
    """What was sent, or an empty text when it is not what the standard says."""
    return traceparent if _VALID.fullmatch(traceparent) else ""


def current() -> str:
    """The `traceparent` of what this thread or greenlet is at, `""` when it is in no trace."""
    return _current.get()


def trace_id(traceparent: str) -> str:
    """The part that all of a trace have in common, for logs."""
    return traceparent.split("-")[1] if traceparent else ""


def begin(name: str, kind: Kind, parent: str) -> Span:
    """Begin a piece of work, which is what this thread or greenlet is at from now on."""
    span = _tracer.begin(name, kind, parent) if _tracer is not None else _Passing(parent)
    _current.set(span.traceparent)
    return span


@contextmanager
def within(name: str, kind: Kind) -> Iterator[None]:
    """A piece of what this thread or greenlet is at."""
    outer = current()
    span = begin(name, kind, outer)
    failed = True
    try:
        yield
        failed = False
    finally:
        span.end(failed=failed)
        _current.set(outer)
