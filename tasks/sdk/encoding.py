"""From what an agent returned to a JSON value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tasks.sdk.artifacts import Artifact
from tasks.sdk.errors import ResultError
from tasks.sdk.parameters import Choice, ListOf, Record, Scalar, Slot
from tasks.sdk.returns import ReturnKind, Returns
from tasks.sdk.scalars import WORDS, as_float, is_scalar, is_text

_ROOT = "The result"


def encode_result(value: Any, returns: Returns) -> Any:
    """Return the JSON value of an answer. The answer of a stream is its joined text.

    Raises `ResultError` when the answer is not of the type that the agent declares.
    """
    if returns.kind is ReturnKind.ARTIFACT:
        return _encode_artifact(value)
    if returns.record is not None:
        return _encode_record(value, returns.record, _ROOT)
    return _encode_scalar(value, str, _ROOT)


def _encode_artifact(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Artifact):
        raise _refused(_ROOT, "an artifact", value)
    return asdict(value)


def _encode(value: Any, slot: Slot, path: str) -> Any:
    if value is None and slot.nullable:
        return None
    match slot.type:
        case Scalar(kind):
            return _encode_scalar(value, kind, path)
        case Choice(values):
            return _encode_choice(value, values, path)
        case ListOf(item):
            return _encode_list(value, item, path)
        case Record():
            return _encode_record(value, slot.type, path)
        case _:
            raise _refused(path, "a value that JSON has", value)


def _encode_record(value: Any, kind: Record, path: str) -> dict[str, Any]:
    if not isinstance(value, kind.dataclass):
        raise _refused(path, f"the dataclass {kind.dataclass.__name__}", value)
    return {each.name: _encode(getattr(value, each.name), each, f"{path}.{each.name}") for each in kind.fields}


def _encode_list(value: Any, item: Slot, path: str) -> list[Any]:
    value = _plain(value)
    if not isinstance(value, list | tuple):
        raise _refused(path, "a list", value)
    return [_encode(each, item, f"{path}[{index}]") for index, each in enumerate(value)]


def _encode_choice(value: Any, values: tuple[Any, ...], path: str) -> Any:
    value = _plain(value)
    for each in values:
        if type(value) is type(each) and value == each:
            return each
    raise _refused(path, f"one of {', '.join(map(json.dumps, values))}", value)


def _encode_scalar(value: Any, kind: type[Any], path: str) -> Any:
    value = _plain(value)
    if not is_scalar(value, kind):
        raise _refused(path, WORDS[kind], value)
    if kind is float:
        return _encode_float(value, path)
    if kind is str and not is_text(value):
        raise ResultError(f"{path} holds half of a surrogate pair, which is no text.")
    # The kind's own conversion gives the value of an enumeration's member, where `str(...)` may give its name.
    return str.__str__(value) if kind is str else kind(value)


def _encode_float(value: float, path: str) -> float:
    number = as_float(value)
    if not math.isfinite(number):
        raise ResultError(f"{path} is {number}, which JSON cannot say.")
    return number


def _plain(value: Any) -> Any:
    """Turn the numbers and arrays of numerical libraries into Python's: all of these libraries call it `tolist`."""
    convert = getattr(value, "tolist", None)
    return convert() if callable(convert) else value


def _refused(path: str, wanted: str, value: Any) -> ResultError:
    return ResultError(f"{path} must be {wanted}, but is {type(value).__name__}.")
