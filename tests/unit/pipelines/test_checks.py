"""Checks of outputs: a language of comparisons, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.pipelines.checks import parse


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("main < 0.5", [True, False, False]),
        ("main >= 0.5", [False, True, True]),
        ("main == 5e-1", [False, True, False]),
        ("main != .5", [True, False, True]),
        ("main > -1 and main < 0.9", [True, True, False]),
        ("main < 0.2 or main > 0.8", [True, False, True]),
        ("main < 0.2 or main > 0.4 and main < 0.6", [True, True, False]),
        ("dense_1/Sigmoid:0 <= 1", [True, True, False]),
    ],
)
def test_a_check_is_true_or_false_for_each_row(text: str, passed: list[bool]) -> None:
    outputs = {"main": np.array([[0.1], [0.5], [0.9]]), "dense_1/Sigmoid:0": np.array([[0, 1], [1, 1], [1, 2]])}
    assert parse(text).holds(outputs, 3).tolist() == passed


def test_a_number_that_is_none_passes_no_check() -> None:
    assert parse("main < 1").holds({"main": np.array([[np.nan]])}, 1).tolist() == [False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "main",
        "main <",
        "main < other",
        "main < 1 and",
        "main << 1",
        "main < 1.2.3",
        "__import__('os').system('true') < 1 and",
        "(main < 1)(",
        "main < 1" + " and main < 1" * 200,
    ],
)
def test_what_is_no_check_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="check"):
        parse(text)


def test_a_check_names_its_outputs() -> None:
    assert parse("a < 1 and b < 2 or c > 3").outputs == {"a", "b", "c"}
