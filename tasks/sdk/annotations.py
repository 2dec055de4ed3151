"""Read type annotations: from `Annotated[list[str] | None, Param(...)]` to a `Slot`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from tasks.sdk.checks import example_faults
from tasks.sdk.faults import FaultLog
from tasks.sdk.fields import NO_DEFAULT, name_slot
from tasks.sdk.files import File
from tasks.sdk.limits import misfits
from tasks.sdk.parameters import Choice, ListOf, Param, Parameter, ParameterType, Record, Scalar, Slot, Upload
from tasks.sdk.unsupported import explain, show

AT_MODULE_LEVEL = "define or import what it names at module level, and not under `if TYPE_CHECKING`"
_SUPPORTED = "use str, int, float, bool, Literal[...], list[...], a dataclass, File, or one of these with `| None`"

# The dataclasses that a hint stands in, from the outside in.
Outer = tuple[type[Any], ...]


def read_slot(hint: Any, log: FaultLog, outer: Outer = ()) -> Slot | None:
    """Return what a hint says, or None after noting its faults."""
    before = len(log.faults)
    hint, params, nullable = _peel(hint)
    param = _single(params, log)
    if get_origin(hint) is Literal:
        nullable = nullable or None in get_args(hint)
    kind = _read_type(hint, log, outer)
    if kind is None or len(log.faults) > before:
        return None
    return _checked(Slot(kind, nullable, param), log)


def read_record(hint: type[Any], log: FaultLog, outer: Outer = ()) -> Record | None:
    """Return what a dataclass holds, or None after noting its faults."""
    name, before = hint.__name__, len(log.faults)
    if hint in outer:
        log.note(f"has the type {name}, which contains itself", "write one dataclass for each level")
        return None
    try:
        hints = get_type_hints(hint, include_extras=True)
    except Exception as error:
        log.note(f"has the type {name}, whose fields cannot be read ({error})", AT_MODULE_LEVEL)
        return None
    declared = [each for each in dataclasses.fields(hint) if each.init]
    if {*inspect.signature(hint).parameters} != {each.name for each in declared}:
        log.note(f"has the type {name}, which is not made from its fields", "use neither InitVar nor a custom __init__")
        return None
    fields = [_read_field(each, hints[each.name], log.inside(each.name), (*outer, hint)) for each in declared]
    return Record(hint, tuple(filter(None, fields))) if len(log.faults) == before else None


def _read_field(declared: dataclasses.Field[Any], hint: Any, log: FaultLog, outer: Outer) -> Parameter | None:
    slot = read_slot(hint, log, outer)
    default: Any = NO_DEFAULT if declared.default is dataclasses.MISSING else declared.default
    if declared.default_factory is not dataclasses.MISSING:
        default = _made(declared.default_factory, log)
    return name_slot(declared.name, slot, default, log)


def _made(factory: Callable[[], Any], log: FaultLog) -> Any:
    try:
        return factory()
    except Exception as error:
        log.note(f"has a default_factory that fails ({type(error).__name__}: {error})", "give it a plain default")
        return NO_DEFAULT


def _peel(hint: Any) -> tuple[Any, list[Any], bool]:
    """Take `Annotated` and `| None` off a hint, in whatever order they are wrapped."""
    if get_origin(hint) is Annotated:
        bare, *notes = get_args(hint)
        bare, params, nullable = _peel(bare)
        return bare, [*params, *(note for note in notes if note is Param or isinstance(note, Param))], nullable
    if get_origin(hint) in (Union, UnionType):
        members = [member for member in get_args(hint) if member is not NoneType]
        if len(members) == 1:
            bare, params, _ = _peel(members[0])
            return bare, params, True
    return hint, [], False


def _single(params: list[Any], log: FaultLog) -> Param:
    if len(params) > 1:
        log.note("is described by two Params", "join them into one")
    elif Param in params:
        log.note("is annotated with the class Param", 'write Param("what it is")')
    elif params:
        return params[0]  # type: ignore[no-any-return]
    return Param()


def _read_type(hint: Any, log: FaultLog, outer: Outer) -> ParameterType | None:
    if hint in (str, int, float, bool):
        return Scalar(hint)
    if hint is File:
        return _read_upload(log, outer)
    if get_origin(hint) is Literal:
        return _read_choice(get_args(hint), log)
    if get_origin(hint) is list and get_args(hint):
        item = read_slot(get_args(hint)[0], log, outer)
        return ListOf(item) if item else None
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and not explain(hint):
        return read_record(hint, log, outer)
    log.note(f"has the type {show(hint)}, which is not supported", explain(hint) or _SUPPORTED)
    return None


def _read_upload(log: FaultLog, outer: Outer) -> Upload | None:
    # Callers upload files beside the other values, so only a parameter itself can be one.
    if outer:
        log.note("is a File inside of a dataclass", "make the File a parameter of its own")
        return None
    return Upload()


def _read_choice(values: tuple[Any, ...], log: FaultLog) -> Choice | None:
    known = tuple(value for value in values if value is not None)
    if known and all(type(value) in (str, int, bool) for value in known):
        return Choice(known)
    log.note("is a Literal of something else than str, int or bool", 'use texts, as Literal["short", "long"]')
    return None


def _checked(slot: Slot, log: FaultLog) -> Slot | None:
    before = len(log.faults)
    for problem, fix in misfits(slot.type, slot.param):
        log.note(problem, fix)
    if len(log.faults) > before:
        return None
    for example in slot.param.examples:
        for fault in example_faults(example, slot):
            log.note(
                f"has the example {example!r}, but {fault.field or 'it'} {fault.problem}",
                "change the example or the limit",
            )
    return slot
