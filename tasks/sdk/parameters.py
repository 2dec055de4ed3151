"""What an agent takes: its parameters, and the small tree of types that they may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Param:
    """What callers should know about a parameter, and the limits that its values must keep.

    Use it as `Annotated[int, Param("How many", ge=1)]`. `ge` and `le` bound numbers; `min_length` and `max_length`
    count the characters of a text or the items of a list. `pattern` is searched for as in JSON Schema: anchor it
    with `^` and `$` when the whole text must match. `examples` are values as a caller would send them.
    """

    description: str = ""
    _: KW_ONLY
    ge: float | None = None
    le: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    # Left out of the hash, because typing needs hashable annotations and an example may be a list.
    examples: Sequence[Any] = field(default=(), hash=False)


@dataclass(frozen=True)
class Scalar:
    """A plain value: `kind` is str, int, float or bool."""

    kind: type[str] | type[int] | type[float] | type[bool]


@dataclass(frozen=True)
class Choice:
    """One of a few values, each a str, an int or a bool."""

    values: tuple[str | int | bool, ...]


@dataclass(frozen=True)
class ListOf:
    """A list. `item` says what each of its items is, with limits of its own."""

    item: Slot


@dataclass(frozen=True)
class Record:
    """A dataclass: an object with these fields and no others."""

    dataclass: type[Any]
    fields: tuple[Parameter, ...]


@dataclass(frozen=True)
class Upload:
    """A `File` that the caller uploaded."""


ParameterType: TypeAlias = Scalar | Choice | ListOf | Record | Upload


@dataclass(frozen=True)
class Slot:
    """A place for a value: its type, whether it may be null, and its limits."""

    type: ParameterType
    nullable: bool = False
    param: Param = Param()


@dataclass(frozen=True, kw_only=True)
class Parameter(Slot):
    """A named slot of a function or of a dataclass. `default` means something only when it is not `required`."""

    name: str
    required: bool = True
    default: Any = None
