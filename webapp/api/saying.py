"""A job as those protocols see it that know a text and its end, and no attempts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tasks.jobs import Event

RESTARTED = {
    "code": "restarted",
    "detail": "The job has started again after a part of its answer was sent. Its new answer is at its events.",
}


def said(events: Iterable[Event | None]) -> Iterator[Event | None]:
    """The tokens and the end of a job, and None for each heartbeat.

    A caller that has a part of the answer cannot be told to forget it: when the job starts again, this ends as if it
    had failed. The job goes on.
    """
    begun = False
    for event in events:
        if event is not None and event.type == "restarted" and begun:
            yield Event(event.id, "failed", RESTARTED)
            return
        if event is None or event.type == "token" or event.terminal:
            begun = begun or event is not None
            yield event


def frame_of(event: Event, conversation_id: str) -> dict[str, Any]:
    """What the chat says for an event: a piece of the answer, that it is done, or what went wrong."""
    match event.type:
        case "token":
            return {"content": event.data["content"]}
        case "completed":
            usage = event.data.get("usage", {})
            return {
                "done": True,
                "tokens_used": usage.get("total_tokens", 0),
                "usage": usage,
                "conversation_id": conversation_id,
            }
        case "canceled":
            return {"error": "The job was canceled.", "code": "canceled"}
        case _:
            return {"error": event.data.get("detail", "The job failed."), "code": event.data.get("code", "failed")}
