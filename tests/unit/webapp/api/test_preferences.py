"""The Prefer header."""

from __future__ import annotations

import pytest

from webapp.api.preferences import Preferences


@pytest.mark.parametrize(
    ("header", "budget"),
    [
        ("", 60),
        ("respond-async", 0),
        ("wait=10", 10),
        ("wait=0", 0),
        ("wait=100", 60),
        ('wait="7"', 7),
        ("respond-async, wait=10", 10),
        ("wait=3, wait=20", 3),
        ("Wait = 5; foo=bar", 5),
        ("RESPOND-ASYNC", 0),
        ("return=minimal, respond-async", 0),
        ("wait=-1", 60),
        ("wait=soon", 60),
        ("wait=1.5", 60),
        ("wait=٣", 60),
        ("wait=999999999999999999999", 60),
        (",,;=,", 60),
    ],
)
def test_the_header_decides_how_long_to_wait(header: str, budget: float) -> None:
    assert Preferences.parse(header).budget(60) == budget


@pytest.mark.parametrize(
    ("header", "applied"),
    [
        ("", ""),
        ("respond-async", "respond-async"),
        ("wait=10", "wait=10"),
        ("respond-async, wait=5", "respond-async, wait=5"),
        ("wait=61", ""),
        ("handling=lenient", ""),
    ],
)
def test_only_what_is_honoured_is_said_to_be_applied(header: str, applied: str) -> None:
    assert Preferences.parse(header).applied(60) == applied
