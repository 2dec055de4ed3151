"""A job as a protocol without attempts sees it."""

from __future__ import annotations

from tasks.jobs import Event
from webapp.api.saying import frame_of, said

STARTED = Event("1-0", "started", {})
TOKEN = Event("1-1", "token", {"content": "half"})
AGAIN = Event("2-0", "restarted", {"attempt": 2})
WHOLE = Event("2-1", "token", {"content": "whole"})
DONE = Event("2-2", "completed", {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})


def test_only_tokens_the_end_and_heartbeats_are_passed_on() -> None:
    progress = Event("1-1", "progress", {"fraction": 0.5, "message": ""})
    assert list(said([STARTED, None, progress, WHOLE, DONE])) == [None, WHOLE, DONE]


def test_a_job_that_starts_again_before_it_said_anything_goes_on() -> None:
    assert list(said([STARTED, None, AGAIN, WHOLE, DONE])) == [None, WHOLE, DONE]


def test_a_job_that_starts_again_behind_half_an_answer_ends_in_an_error() -> None:
    *before, last = said([STARTED, TOKEN, None, AGAIN, WHOLE, DONE])
    assert before == [TOKEN, None]
    assert last is not None
    assert (last.id, last.type, last.data["code"]) == ("2-0", "failed", "restarted")


def test_every_end_has_a_frame() -> None:
    assert frame_of(DONE, "c") == {
        "done": True,
        "tokens_used": 3,
        "usage": DONE.data["usage"],
        "conversation_id": "c",
    }
    assert frame_of(Event("1-1", "canceled", {}), "c")["code"] == "canceled"
    failed = Event("1-1", "failed", {"code": "provider_error", "detail": "It broke."})
    assert frame_of(failed, "c") == {"error": "It broke.", "code": "provider_error"}
