"""From a JSON payload to the keyword arguments of an agent.

The web side has checked the payload before, from the same description. It is checked again here, strictly, because a
job may wait in the queue while its agent changes.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasks.sdk.files import File
from tasks.sdk.limits import broken_limits
from tasks.sdk.parameters import Choice, ListOf, Parameter, Record, Scalar, Slot
from tasks.sdk.payload import Path, PayloadError, PayloadFault
from tasks.sdk.scalars import WORDS, as_float, is_scalar, is_text

OpenFile = Callable[[Mapping[str, Any]], File]

# Enough for a person to go on with; a list of a million wrong items would only fill the memory.
_MOST_FAULTS = 20
_UPLOAD = {"name": str, "media_type": str, "size": int, "key": str}


def bind(parameters: Sequence[Parameter], payload: Mapping[str, Any], open_file: OpenFile) -> dict[str, Any]:
    """Return the keyword arguments that a payload stands for. Raises `PayloadError`."""
    reader = PayloadReader(open_file)
    arguments = reader.read_fields(payload, parameters, ())
    if reader.faults:
        raise PayloadError(reader.faults)
    # Defaults are copied: an agent that changes its list must not change it for the next job.
    defaults = {each.name: copy.deepcopy(each.default) for each in parameters if each.name not in arguments}
    return defaults | arguments


class PayloadReader:
    """Reads JSON values as the description says and notes what does not fit."""

    def __init__(self, open_file: OpenFile) -> None:
        self.faults: list[PayloadFault] = []
        self._open_file = open_file

    def refuse(self, path: Path, problem: str) -> Any:
        """Note a fault and return None in place of a value. Raises `PayloadError` when there are too many to go on."""
        self.faults.append(PayloadFault(path, problem))
        if len(self.faults) >= _MOST_FAULTS:
            raise PayloadError(self.faults)

    def read(self, value: Any, slot: Slot, path: Path) -> Any:
        """Return the value that belongs in a slot, or anything at all after noting faults."""
        if value is None:
            return None if slot.nullable else self.refuse(path, "must not be null")
        before = len(self.faults)
        found = self._read_type(value, slot, path)
        if len(self.faults) == before:
            for problem in broken_limits(found, slot.param):
                self.refuse(path, problem)
        return found

    def read_fields(self, value: Any, fields: Sequence[Parameter], path: Path) -> dict[str, Any]:
        """Return the fields that an object holds. The ones that it leaves out are left out."""
        if not isinstance(value, Mapping):
            self.refuse(path, "must be an object")
            return {}
        names = [each.name for each in fields]
        for unknown in sorted(str(name) for name in value if name not in names):
            self.refuse((*path, unknown), f"is unknown; known are: {', '.join(names) or 'none'}")
        for each in fields:
            if each.required and each.name not in value:
                self.refuse((*path, each.name), "is missing")
        return {
            each.name: self.read(value[each.name], each, (*path, each.name)) for each in fields if each.name in value
        }

    def read_record(self, value: Any, kind: Record, path: Path) -> Any:
        """Build a dataclass. What its `__post_init__` refuses with a `ValueError` is a fault of the payload."""
        before = len(self.faults)
        fields = self.read_fields(value, kind.fields, path)
        if len(self.faults) > before:
            return None
        try:
            return kind.dataclass(**fields)
        except ValueError as error:
            return self.refuse(path, f"is refused: {error}")

    def read_upload(self, value: Any, path: Path) -> Any:
        """Open an uploaded file."""
        if isinstance(value, Mapping) and {name: type(part) for name, part in value.items()} == _UPLOAD:
            return self._open_file(value)
        return self.refuse(path, "must be an uploaded file")

    def _read_type(self, value: Any, slot: Slot, path: Path) -> Any:
        match slot.type:
            case Scalar(kind):
                return self._read_scalar(value, kind, path)
            case Choice(values):
                return self._read_choice(value, values, path)
            case ListOf(item):
                return self._read_list(value, item, path)
            case Record():
                return self.read_record(value, slot.type, path)
            case _:
                return self.read_upload(value, path)

    def _read_list(self, value: Any, item: Slot, path: Path) -> Any:
        if not isinstance(value, list):
            return self.refuse(path, "must be a list")
        return [self.read(each, item, (*path, index)) for index, each in enumerate(value)]

    def _read_choice(self, value: Any, values: Sequence[Any], path: Path) -> Any:
        # 1, 1.0 and True are equal in Python, but not in JSON.
        if any(type(value) is type(each) and value == each for each in values):
            return value
        return self.refuse(path, f"must be one of {', '.join(map(json.dumps, values))}")

    def _read_scalar(self, value: Any, kind: type[Any], path: Path) -> Any:
        if not is_scalar(value, kind):
            return self.refuse(path, f"must be {WORDS[kind]}")
        if kind is str and not is_text(value):
            return self.refuse(path, "must be valid Unicode text")
        return self._read_float(value, path) if kind is float else value

    def _read_float(self, value: int | float, path: Path) -> Any:
        number = as_float(value)
        return number if math.isfinite(number) else self.refuse(path, "must be a finite number")
