"""Check values that stand in an agent's source, examples and defaults, with the reader that reads payloads."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from tasks.sdk.binding import PayloadReader
from tasks.sdk.files import File
from tasks.sdk.parameters import Record, Slot
from tasks.sdk.payload import Path, PayloadError, PayloadFault


def example_faults(example: Any, slot: Slot) -> list[PayloadFault]:
    """Return what is wrong with an example, which is a value as a caller would send it."""
    return _faults(_ExampleReader(), example, slot)


def default_faults(default: Any, slot: Slot) -> list[PayloadFault]:
    """Return what is wrong with a default, which is a value as the function gets it."""
    return _faults(_DefaultReader(), default, slot)


def _faults(reader: PayloadReader, value: Any, slot: Slot) -> list[PayloadFault]:
    with suppress(PayloadError):  # Raised when there are too many to go on; the reader has kept them.
        reader.read(value, slot, ())
    return reader.faults


def _open_nothing(described: Mapping[str, Any]) -> File:
    raise NotImplementedError(f"no file can be opened here: {described}")


class _ExampleReader(PayloadReader):
    def __init__(self) -> None:
        super().__init__(_open_nothing)

    def read_upload(self, value: Any, path: Path) -> Any:  # noqa: ARG002 - an override takes what the original takes
        return self.refuse(path, "stands for a file, which only a caller can give")


class _DefaultReader(_ExampleReader):
    def read_record(self, value: Any, kind: Record, path: Path) -> Any:
        if not isinstance(value, kind.dataclass):
            return self.refuse(path, f"must be the dataclass {kind.dataclass.__name__}")
        self.read_fields({each.name: getattr(value, each.name) for each in kind.fields}, kind.fields, path)
        return value
