"""How many events an attempt may write, so that no job fills the memory of the server that all of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.jobs.attempts import Ending
from tasks.jobs.record import JobError, Status

CODE = "too_many_events"
# What can wait for more of its kind: pieces of a text are joined, of progress the last word counts.
JOINABLE = frozenset({"token", "progress"})

Said = tuple[str, Mapping[str, Any]]


def too_many_events(most: int) -> JobError:
    """Say that a job wrote more events than it may."""
    return JobError(CODE, f"The job wrote more than the {most} events that one attempt may write.")


class EventBudget:
    """Counts the events of one attempt. The first, which the claim writes, and the terminal one have their places."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most - 2
        self._overrun = False

    @property
    def scarce(self) -> bool:
        """Whether half of it is spent: from here on what is left is made to last."""
        return self._left < self._most / 2

    def spend(self) -> bool:
        """Take one event. False when there is none left: it cannot be written, so the attempt must not go on."""
        if self._left <= 0:
            self._overrun = True
            return False
        self._left -= 1
        return True

    def judge(self, ending: Ending | None) -> Ending | None:
        """How the attempt ends: one that claims success has failed if some of what it said could not be written."""
        if ending is None or not self._overrun or ending.status is not Status.COMPLETED:
            return ending
        error = too_many_events(self._most)
        data = {"code": error.code, "detail": error.detail}
        return Ending(Status.FAILED, data, error=error, usage=ending.usage)


def calm(said: Iterable[Said]) -> list[Said]:
    """The same in few events: one piece of text, the last progress, and everything else in its order before them."""
    text = ""
    progress: list[Said] = []
    others: list[Said] = []
    for kind, data in said:
        if kind == "token":
            text += data["content"]
        elif kind == "progress":
            progress = [(kind, data)]
        else:
            others.append((kind, data))
    return [*others, *([("token", {"content": text})] if text else []), *progress]
