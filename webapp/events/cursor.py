"""Where a reader stands in the events of one job, and what the next one means to it."""

from __future__ import annotations

import re
from enum import Enum

from tasks.jobs import Event

# Both numbers fit into what Redis has for the parts of an id.
EVENT_ID = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")

# No attempt has the number 0: this is before every event.
START = (0, -1)


class Verdict(Enum):
    """What an event is to a reader: the next one, one it has seen, or one that does not join on."""

    NEXT = "next"
    SEEN = "seen"
    GAP = "gap"


class Cursor:
    """A position in a job's events."""

    __slots__ = ("_attempt", "_seq")

    def __init__(self, after: str = "") -> None:
        """Stand behind the event `after`. Raises ValueError when that is no event's id."""
        self._attempt, self._seq = _position(after) if after else START

    @property
    def id(self) -> str:
        """The id of the last event, `""` at the start."""
        return "" if self.position == START else f"{self._attempt}-{self._seq}"

    @property
    def position(self) -> tuple[int, int]:
        return self._attempt, self._seq

    def judge(self, event: Event) -> Verdict:
        """Compare an event with this position.

        The first event of a later attempt may follow any event of this one, but is a gap: only the log knows
        whether this attempt said more before it ended.
        """
        attempt, seq = event.position
        if (attempt, seq) <= (self._attempt, self._seq):
            return Verdict.SEEN
        joins = seq == self._seq + 1 and (attempt == self._attempt or (attempt, self.position) == (1, START))
        return Verdict.NEXT if joins else Verdict.GAP

    def move(self, event: Event) -> None:
        """Stand behind `event`."""
        self._attempt, self._seq = event.position


def _position(after: str) -> tuple[int, int]:
    # int() alone would take signs, spaces, underscores and other scripts' digits.
    if EVENT_ID.fullmatch(after) is None:
        raise ValueError(f"{after!r} is no id of an event")
    attempt, seq = after.split("-")
    return int(attempt), int(seq)
