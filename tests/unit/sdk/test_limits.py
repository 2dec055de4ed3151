"""Limits: which fit a type, which are limits at all, and which a value breaks."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.sdk import Choice, ListOf, Param, ParameterType, Record, Scalar, Slot, Upload
from tasks.sdk.limits import broken_limits, misfits

LIST = ListOf(Slot(Scalar(str)))


@pytest.mark.parametrize(
    ("kind", "param", "problem", "fix"),
    [
        (Scalar(int), Param(max_length=3), "max_length does not fit", "use ge and le"),
        (Scalar(float), Param(pattern="a"), "pattern does not fit", "use ge and le"),
        (Scalar(str), Param(ge=1), "ge does not fit", "use min_length and max_length and pattern"),
        (LIST, Param(pattern="a"), "pattern does not fit", "use min_length and max_length"),
        (Scalar(bool), Param(le=1), "le does not fit", "remove it"),
        (Choice(("a",)), Param(max_length=1), "max_length does not fit", "remove it"),
        (Record(object, ()), Param(min_length=1), "min_length does not fit", "remove it"),
        (Upload(), Param(max_length=1), "max_length does not fit", "remove it"),
        (Scalar(str), Param(pattern="("), "pattern='(' is not a limit", "a regular expression"),
        (Scalar(str), Param(min_length=-1), "min_length=-1 is not a limit", "0 or more"),
        (Scalar(str), Param(max_length=1.5), "max_length=1.5 is not a limit", "a whole number"),  # type: ignore[arg-type]
        (Scalar(int), Param(ge=float("nan")), "ge=nan is not a limit", "a number"),
        (Scalar(int), Param(le="9"), "le='9' is not a limit", "a number"),  # type: ignore[arg-type]
        (Scalar(int), Param(ge=True), "ge=True is not a limit", "a number"),
        (Scalar(int), Param(ge=5, le=4), "ge=5 is above le=4", "exchange"),
        (LIST, Param(min_length=5, max_length=4), "min_length=5 is above max_length=4", "exchange"),
    ],
)
def test_a_limit_that_cannot_hold_is_told(kind: ParameterType, param: Param, problem: str, fix: str) -> None:
    ((found_problem, found_fix),) = misfits(kind, param)
    assert problem in found_problem
    assert fix in found_fix


@pytest.mark.parametrize(
    ("kind", "param"),
    [
        (Scalar(int), Param(ge=0, le=0)),
        (Scalar(float), Param(ge=-0.5, le=10)),
        (Scalar(str), Param(min_length=0, max_length=10, pattern="^a")),
        (LIST, Param(min_length=1, max_length=1)),
        (Upload(), Param("A file")),
    ],
)
def test_limits_that_fit_are_good(kind: ParameterType, param: Param) -> None:
    assert [*misfits(kind, param)] == []


@pytest.mark.parametrize(
    ("value", "param", "broken"),
    [
        (1, Param(ge=1, le=1), []),
        (0, Param(ge=1), ["must be at least 1"]),
        (1.5, Param(le=1), ["must be at most 1"]),
        ("", Param(min_length=1, pattern="a"), ["must have at least 1 character", "must match a"]),
        ("äöü", Param(max_length=3), []),
        ("abcd", Param(max_length=3), ["must have at most 3 characters"]),
        ([1], Param(min_length=2), ["must have at least 2 items"]),
        ([1, 2], Param(max_length=1), ["must have at most 1 item"]),
        ("xay", Param(pattern="a"), []),
        ("xay", Param(pattern="^a"), ["must match ^a"]),
        ("a\n", Param(pattern="^a$"), ["must match ^a$"]),
        ("a$", Param(pattern=r"^a\$"), []),
        ("", Param(pattern="^$"), []),
    ],
)
def test_broken_limits_are_told_in_words(value: Any, param: Param, broken: list[str]) -> None:
    assert [*broken_limits(value, param)] == broken
