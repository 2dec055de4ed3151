from __future__ import annotations

import pytest

from tasks.jobs import Event
from webapp.events.cursor import Cursor, Verdict


def event(event_id: str) -> Event:
    return Event(event_id, "token", {})


@pytest.mark.parametrize(
    ("after", "event_id", "verdict"),
    [
        ("", "1-0", Verdict.NEXT),
        ("", "1-1", Verdict.GAP),
        ("", "2-0", Verdict.GAP),
        ("1-0", "1-1", Verdict.NEXT),
        ("1-9", "1-10", Verdict.NEXT),
        ("1-9", "1-11", Verdict.GAP),
        ("1-9", "1-9", Verdict.SEEN),
        ("1-10", "1-9", Verdict.SEEN),
        ("2-0", "1-99", Verdict.SEEN),
        # The last words of attempt 1 may have been missed.
        ("1-9", "2-0", Verdict.GAP),
        ("1-0", "2-1", Verdict.GAP),
    ],
)
def test_an_event_joins_on_was_seen_or_leaves_a_gap(after: str, event_id: str, verdict: Verdict) -> None:
    assert Cursor(after).judge(event(event_id)) is verdict


def test_a_cursor_stands_where_it_was_moved_to() -> None:
    cursor = Cursor()
    assert cursor.id == ""

    cursor.move(event("3-7"))

    assert (cursor.id, cursor.position) == ("3-7", (3, 7))


@pytest.mark.parametrize(
    "after", ["x", "1", "1-", "-1", "1-2-3", "-1-2", "1--2", " 1-2", "1-2 ", "1_0-2", "+1-2", "\u0661-\u0662", "1.0-2"]
)
def test_what_is_no_id_is_refused(after: str) -> None:
    with pytest.raises(ValueError, match="no id of an event"):
        Cursor(after)
