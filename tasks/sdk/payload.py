"""What is wrong with a payload, each fault with its path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

# A name that a caller made up is shown, but not a megabyte of it.
_SHOWN = 60


@dataclass(frozen=True)
class PayloadFault:
    """One thing that is wrong: `path` leads to the value, as `("options", "tags", 2)`."""

    path: Path
    problem: str

    @property
    def field(self) -> str:
        """The path as a person would write it: `options.tags[2]`."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part[:_SHOWN]}" for part in self.path)
        return "".join(parts).removeprefix(".")

    def __str__(self) -> str:
        return f"{self.field} {self.problem}".strip()


class PayloadError(ValueError):
    """A payload that an agent cannot be called with. `faults` holds what the message joins."""

    def __init__(self, faults: Sequence[PayloadFault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)
