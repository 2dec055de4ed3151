"""Plain values and what JSON can say of them."""

from __future__ import annotations

import math
from typing import Any

WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def is_scalar(value: Any, kind: type[Any]) -> bool:
    """Say whether a value is of a plain type: an int is a float, but a bool is not an int."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def is_text(value: str) -> bool:
    r"""Say whether a text can be written as UTF-8. Half of a surrogate pair, as in JSON's "\ud83d", cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_float(value: float) -> float:
    """Return a number as a float: infinite when it is a whole number that is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
