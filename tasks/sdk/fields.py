"""Name a slot: a parameter of a function or a field of a dataclass, with its default."""

from __future__ import annotations

import re
from typing import Any

from tasks.sdk.checks import default_faults
from tasks.sdk.faults import FaultLog
from tasks.sdk.parameters import Parameter, Slot

NO_DEFAULT = object()

# The name is a JSON field and a query parameter, so it stays within ASCII.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def name_slot(name: str, slot: Slot | None, default: Any, log: FaultLog) -> Parameter | None:
    """Return a parameter, or None after noting what is wrong with its name, its type or its default."""
    if not _NAME.fullmatch(name):
        log.note("has a bad name", "use letters, digits and _, and begin with a letter")
    if slot is None:
        return None
    required = default is NO_DEFAULT
    if not required:
        _check_default(default, slot, log)
    return Parameter(
        type=slot.type,
        nullable=slot.nullable,
        param=slot.param,
        name=name,
        required=required,
        default=None if required else default,
    )


def _check_default(default: Any, slot: Slot, log: FaultLog) -> None:
    if default is None and not slot.nullable:
        log.note("has the default None, which its type does not allow", "add `| None` to the type")
        return
    for fault in default_faults(default, slot):
        log.note(
            f"has the default {default!r}, but {fault.field or 'it'} {fault.problem}", "change the default or the limit"
        )
