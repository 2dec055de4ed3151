"""The page on security names tests that exist, and every case."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "security.md"


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`((?:unit|integration|architecture|deploy)/[\w/]+\.py)::(\w+)`", PAGE.read_text())
    assert len(named) > 50
    missing = [(file, test) for file, test in named if f"def {test}(" not in (TESTS / file).read_text()]
    assert missing == []


def test_every_case_is_in_the_table() -> None:
    assert re.findall(r"^\| (\d+) \|", PAGE.read_text(), re.MULTILINE) == [str(number) for number in range(1, 39)]
