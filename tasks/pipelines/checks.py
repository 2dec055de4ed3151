"""Checks of outputs, such as `main < 0.9 and banjori <= 0.5`: comparisons of an output with a number, and no code.

`and` binds stronger than `or`; there are no brackets. An output of several values a row passes when each of them does.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

COMPARE: Mapping[str, Callable[[Any, float], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
MOST = 1000  # characters of a check
_COMPARISON = re.compile(r"\s*([^\s<>=!]+)\s*(<=|>=|==|!=|<|>)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*")


@dataclass(frozen=True)
class Comparison:
    """One output and what it is compared with."""

    output: str
    sign: str
    number: float


@dataclass(frozen=True)
class Check:
    """A check as it was written, and as alternatives of which one must hold, each of comparisons that all must."""

    text: str
    alternatives: tuple[tuple[Comparison, ...], ...]

    @property
    def outputs(self) -> set[str]:
        return {each.output for together in self.alternatives for each in together}

    def holds(self, outputs: Mapping[str, Any], rows: int) -> Any:
        """For each row whether the check holds, as an array. The first axis of each of the `outputs` is the rows."""
        found = None
        for together in self.alternatives:
            passed = None
            for each in together:
                values = COMPARE[each.sign](outputs[each.output], each.number).reshape(rows, -1).all(axis=1)
                passed = values if passed is None else passed & values
            found = passed if found is None else found | passed
        return found


def parse(text: str) -> Check:
    """Read a check. Raises ValueError that says what is wrong with it."""
    if len(text) > MOST:
        raise ValueError(f"a check has {MOST} characters at most")
    alternatives = (re.split(r"\sand\s", part) for part in re.split(r"\sor\s", text))
    return Check(text, tuple(tuple(_comparison(each, text) for each in together) for together in alternatives))


def _comparison(part: str, text: str) -> Comparison:
    found = _COMPARISON.fullmatch(part)
    try:
        if found is not None:
            return Comparison(found[1], found[2], float(found[3]))
    except ValueError:
        pass
    raise ValueError(f"{text!r} is no check: compare outputs with numbers, as `main < 0.9 and banjori <= 0.5`")
