"""What becomes of a job that says too much."""

from __future__ import annotations

import pytest

from tasks.jobs import Status
from tasks.jobs.attempts import Ending
from tasks.worker.budget import EventBudget, Said, calm

DONE = Ending(Status.COMPLETED, {"usage": {}}, result="x", result_ref="ref", usage={"total_tokens": 3})


def test_the_first_and_the_last_event_have_their_places() -> None:
    budget = EventBudget(10)
    assert [budget.spend() for _ in range(10)] == [True] * 8 + [False] * 2


def test_it_is_scarce_from_half_of_it_on() -> None:
    budget = EventBudget(10)
    seen = []
    for _ in range(8):
        seen.append(budget.scarce)
        budget.spend()
    assert seen == [False] * 4 + [True] * 4


def test_success_is_not_claimed_for_what_could_not_be_said() -> None:
    budget = EventBudget(2)
    assert budget.judge(DONE) is DONE
    budget.spend()
    ending = budget.judge(DONE)
    assert ending is not None
    assert ending.error is not None
    assert (ending.status, ending.error.code, ending.data["code"]) == (Status.FAILED, *["too_many_events"] * 2)
    assert (ending.result, ending.result_ref, ending.usage) == (None, "", {"total_tokens": 3})


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_another_end_stays(status: Status) -> None:
    budget = EventBudget(2)
    budget.spend()
    ending = Ending(status, {})  # type: ignore[arg-type]
    assert budget.judge(ending) is ending
    assert budget.judge(None) is None


def test_what_is_said_at_once_becomes_few_events() -> None:
    said: list[Said] = [
        ("token", {"content": "a"}),
        ("progress", {"fraction": 0.1, "message": ""}),
        ("artifact", {"name": "f"}),
        ("token", {"content": "b"}),
        ("progress", {"fraction": 0.2, "message": ""}),
    ]
    assert calm(said) == [said[2], ("token", {"content": "ab"}), said[4]]
    assert calm([]) == []
