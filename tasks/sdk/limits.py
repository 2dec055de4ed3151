"""The limits of a `Param`: which of them fit a type, and which of them a value breaks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from tasks.sdk.parameters import ListOf, Param, ParameterType, Scalar

_RANGE = ("ge", "le")
_LENGTH = ("min_length", "max_length")
_LIMITS = (*_RANGE, *_LENGTH, "pattern")


def fitting(kind: ParameterType) -> tuple[str, ...]:
    """Name the limits that a type can have."""
    if isinstance(kind, ListOf):
        return _LENGTH
    if isinstance(kind, Scalar):
        return {str: (*_LENGTH, "pattern"), int: _RANGE, float: _RANGE}.get(kind.kind, ())
    return ()


def misfits(kind: ParameterType, param: Param) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the limits themselves, each as a problem and its fix."""
    fit = fitting(kind)
    for name in _LIMITS:
        limit = getattr(param, name)
        if limit is None:
            continue
        if name not in fit:
            yield f"{name} does not fit this type", f"use {' and '.join(fit)}" if fit else "remove it"
        elif not _is_limit(name, limit):
            yield f"{name}={limit!r} is not a limit", f"give {name} {_WANTED[name]}"
    yield from _contradictions(param)


def broken_limits(value: Any, param: Param) -> Iterator[str]:
    """Yield each limit that a value of the right type breaks, as `must be at least 1`."""
    if param.ge is not None and value < param.ge:
        yield f"must be at least {param.ge}"
    if param.le is not None and value > param.le:
        yield f"must be at most {param.le}"
    if param.min_length is not None and len(value) < param.min_length:
        yield f"must have at least {_counted(param.min_length, value)}"
    if param.max_length is not None and len(value) > param.max_length:
        yield f"must have at most {_counted(param.max_length, value)}"
    if param.pattern is not None and not re.search(_strict_end(param.pattern), value):
        yield f"must match {param.pattern}"


def _strict_end(pattern: str) -> str:
    # Python's `$` lets a line break pass at the end of the text; JSON Schema's does not.
    return pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


def _counted(limit: int, value: Any) -> str:
    unit = "character" if isinstance(value, str) else "item"
    return f"{limit} {unit}" if limit == 1 else f"{limit} {unit}s"


def _contradictions(param: Param) -> Iterator[tuple[str, str]]:
    for low, high in (_RANGE, _LENGTH):
        least, most = getattr(param, low), getattr(param, high)
        if _is_limit(low, least) and _is_limit(high, most) and least > most:
            yield f"{low}={least!r} is above {high}={most!r}, so no value is good", "exchange the two"


_WANTED = {
    "ge": "a number",
    "le": "a number",
    "min_length": "a whole number, 0 or more",
    "max_length": "a whole number, 0 or more",
    "pattern": "a regular expression as text",
}


def _is_limit(name: str, limit: Any) -> bool:
    if name == "pattern":
        return _compiles(limit)
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        return False
    return math.isfinite(limit) if name in _RANGE else isinstance(limit, int) and limit >= 0


def _compiles(pattern: Any) -> bool:
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        return False
    return isinstance(pattern, str)
