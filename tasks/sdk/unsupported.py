"""Types that people try and that cannot be parameters, each with what to use instead."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import pathlib
import types
import typing
from typing import Any, get_args, get_origin

from tasks.sdk.artifacts import Artifact

_LIST = "use list[...] with the type of its items, as list[str]"
_RECORD = "use a dataclass with the fields that you expect"
_TEXT = "use str and convert it in the function"

_INSTEAD: dict[Any, str] = {
    list: _LIST,
    tuple: _LIST,
    set: _LIST,
    frozenset: _LIST,
    collections.abc.Sequence: _LIST,
    collections.abc.Iterable: _LIST,
    dict: _RECORD,
    collections.abc.Mapping: _RECORD,
    bytes: "use File",
    typing.Any: "say which type it is",
    object: "say which type it is",
    datetime.datetime: _TEXT,
    datetime.date: _TEXT,
    pathlib.Path: "use File for a file's content, or str",
    Artifact: "use File: an Artifact is what an agent returns",
    typing.Union: "choose one type: only `| None` can be added to it",
    types.UnionType: "choose one type: only `| None` can be added to it",
}


def explain(hint: Any) -> str:
    """Return the fix for an unsupported type, or an empty text when nothing special is known of it."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "use Literal[...] with the values"
    if dataclasses.is_dataclass(get_origin(hint)):
        return "use a dataclass without type parameters"
    try:
        return _INSTEAD.get(hint, "") or _INSTEAD.get(get_origin(hint), "")
    except TypeError:  # An unhashable hint, as a list written where a type belongs.
        return ""


def show(hint: Any) -> str:
    """Return a type as its author would write it."""
    if hint is types.NoneType:
        return "None"
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return str(hint).replace("typing.", "").replace("NoneType", "None")
