"""Read a function's signature: its parameters, whether it takes the context, and what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

from tasks.sdk.annotations import AT_MODULE_LEVEL, read_slot
from tasks.sdk.context import Context
from tasks.sdk.faults import FaultLog
from tasks.sdk.fields import NO_DEFAULT, name_slot
from tasks.sdk.parameters import Parameter

_KINDS = inspect._ParameterKind
_UNNAMED = {_KINDS.VAR_POSITIONAL: "*", _KINDS.VAR_KEYWORD: "**"}
_CONTEXT = "write `context: Context` as the first parameter"


def read_parameters(function: Callable[..., Any], log: FaultLog) -> tuple[tuple[Parameter, ...], bool]:
    """Return the parameters that callers give, and whether the function takes the context."""
    takes_context, parameters = False, []
    for index, each in enumerate(inspect.signature(function).parameters.values()):
        entry = log.at(each.name)
        hint = _read_hint(each, function, entry)
        if each.name == "context" or _names_context(hint):
            takes_context = True
            _check_context(each, hint, index, entry)
        elif hint is not None:
            default = NO_DEFAULT if each.default is each.empty else each.default
            parameters.append(name_slot(each.name, read_slot(hint, entry), default, entry))
    return tuple(filter(None, parameters)), takes_context


def resolve(annotation: Any, function: Callable[..., Any]) -> Any:
    """Return the type behind an annotation, which may be text. Raises what evaluating the text raises."""
    # One annotation at a time: a bad one must not hide the others.
    holder = SimpleNamespace(__annotations__={"hint": annotation})
    names = inspect.unwrap(function).__globals__
    return get_type_hints(holder, globalns=names, include_extras=True)["hint"]


def _read_hint(each: inspect.Parameter, function: Callable[..., Any], log: FaultLog) -> Any:
    """Return a parameter's type, or None after noting why it has none."""
    if each.kind in _UNNAMED:
        log.note(f"is {_UNNAMED[each.kind]}{each.name}, which callers cannot see", "name each parameter")
        return None
    if each.kind is each.POSITIONAL_ONLY:
        log.note("is positional-only, and callers send names", "remove the `/` from the signature")
    if each.annotation is each.empty:
        if each.name != "context":
            log.note("has no type", f"annotate it, as `{each.name}: str`")
        return None
    try:
        return resolve(each.annotation, function)
    except Exception as error:
        log.note(f"has a type that cannot be read ({error})", AT_MODULE_LEVEL)
        return None


def _names_context(hint: Any) -> bool:
    return Context in (hint, get_origin(hint)) or any(map(_names_context, get_args(hint)))


def _check_context(each: inspect.Parameter, hint: Any, index: int, log: FaultLog) -> None:
    if Context not in (hint, get_origin(hint)):
        log.note("is not annotated as the context", _CONTEXT)
    elif each.name != "context":
        log.note("is the context under another name", _CONTEXT)
    elif index > 0 or each.kind is each.KEYWORD_ONLY:
        log.note("is the context, but not the first parameter", _CONTEXT)
    elif each.default is not each.empty:
        log.note("is the context and has a default, but the worker always gives it", _CONTEXT)
