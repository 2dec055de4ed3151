"""Read what a function returns."""

from __future__ import annotations

import dataclasses
import inspect
from collections import abc
from collections.abc import Callable
from typing import Any, get_args, get_origin

from tasks.sdk.annotations import AT_MODULE_LEVEL, read_record
from tasks.sdk.artifacts import Artifact
from tasks.sdk.faults import FaultLog
from tasks.sdk.files import File
from tasks.sdk.returns import ReturnKind, Returns
from tasks.sdk.signature import resolve
from tasks.sdk.unsupported import show

_STREAMS = (abc.Iterator, abc.Iterable, abc.Generator)
_ASYNC_STREAMS = (abc.AsyncIterator, abc.AsyncIterable, abc.AsyncGenerator)
_SUPPORTED = "use str, a dataclass, Iterator[str] (AsyncIterator[str] in an `async def`) or Artifact"


def read_returns(function: Callable[..., Any], log: FaultLog) -> Returns | None:
    """Return the shape of a function's answer, or None after noting its faults."""
    annotation = inspect.signature(function).return_annotation
    if annotation is inspect.Signature.empty:
        log.note("has no return type", _SUPPORTED)
        return None
    try:
        hint = resolve(annotation, function)
    except Exception as error:
        log.note(f"has a return type that cannot be read ({error})", AT_MODULE_LEVEL)
        return None
    _check_manner(function, get_origin(hint), log)
    return _read_hint(hint, log)


def is_async(function: Callable[..., Any]) -> bool:
    """Say whether a function runs in an event loop."""
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _read_hint(hint: Any, log: FaultLog) -> Returns | None:
    if hint is str:
        return Returns(ReturnKind.TEXT)
    if hint is Artifact:
        return Returns(ReturnKind.ARTIFACT)
    if get_origin(hint) in (*_STREAMS, *_ASYNC_STREAMS) and get_args(hint)[:1] == (str,):
        return Returns(ReturnKind.TOKENS)
    if isinstance(hint, type) and hint is not File and dataclasses.is_dataclass(hint):
        record = read_record(hint, log.at("return"))
        return Returns(ReturnKind.OBJECT, record) if record else None
    log.note(f"returns {show(hint)}, which is not supported", _SUPPORTED)
    return None


def _check_manner(function: Callable[..., Any], origin: Any, log: FaultLog) -> None:
    """Hold the way a function is written against what it says that it returns."""
    if inspect.isgeneratorfunction(function) and origin not in _STREAMS:
        log.note("yields, but does not return Iterator[str]", "annotate it `-> Iterator[str]`")
    if inspect.isasyncgenfunction(function) and origin not in _ASYNC_STREAMS:
        log.note(
            "yields in an `async def`, but does not return AsyncIterator[str]", "annotate it `-> AsyncIterator[str]`"
        )
    if inspect.iscoroutinefunction(function) and origin in (*_STREAMS, *_ASYNC_STREAMS):
        log.note(
            "is an `async def` that returns a stream without yielding", "yield the pieces: `-> AsyncIterator[str]`"
        )
    if not is_async(function) and origin in _ASYNC_STREAMS:
        log.note("returns an AsyncIterator, but is a plain def", "write `async def` and yield, or return Iterator[str]")
