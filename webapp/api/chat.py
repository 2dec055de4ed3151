"""Chat: a message in, an answer out, at once or as it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Response, g

from tasks.jobs import Event, Job
from tasks.sdk import Agent
from webapp.api import credits
from webapp.api.blueprint import Blueprint
from webapp.api.conversations import HEADER, turn_of
from webapp.api.running import ERRORS, run_to_end, start
from webapp.api.saying import frame_of, said
from webapp.api.streaming import ON_DISCONNECT, STREAM, cancels_on_leaving, stream
from webapp.events.subscription import Subscription
from webapp.http.sse import follow, frame, text_frame
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.chat import CHAT_ANSWER, CHAT_EVENT, CHAT_SENT, ChatAnswerSchema, chat_example, chat_request
from webapp.services import services

AGENT = "chat"
DONE = text_frame("[DONE]")
HEADERS = {name: name for name in ("X-Job-ID", HEADER, credits.HEADER)}


def blueprint(catalogue: Mapping[str, Agent], inputs: InputSchemas) -> Blueprint:
    """The endpoints of the agent `chat`, if `catalogue` has it."""
    page = Blueprint("chat", __name__, "Talk, with what was said before in mind.")
    agent = catalogue.get(AGENT)
    if agent is not None:
        request = chat_request(agent, inputs)
        _add_chat(page, agent, request)
        _add_stream(page, agent, request)
    return page


def _add_chat(page: Blueprint, agent: Agent, request: type[Any]) -> None:
    @page.route("/chat", methods=["POST"])
    @page.arguments(request(), location="json", example=chat_example(agent))
    @page.response(200, ChatAnswerSchema, example=CHAT_ANSWER, headers=HEADERS)
    @page.operation("chat", errors=(*ERRORS, 404), makes_job=True)
    def chat(values: dict[str, Any]) -> dict[str, Any]:
        """Send a message, and wait for the answer."""
        return _answer(run_to_end(agent, *_split(values)))


def _add_stream(page: Blueprint, agent: Agent, request: type[Any]) -> None:
    described = STREAM | {
        "example": CHAT_EVENT,
        "headers": HEADERS,
        "description": (
            f"The answer as it is made, such as\n\n```\n{CHAT_SENT}```\n\n"
            "A stream that breaks is resumed at `/v1/jobs/{id}/events`."
        ),
    }

    @page.route("/chat/stream", methods=["POST"])
    @page.arguments(request(), location="json", example=chat_example(agent))
    @page.response(200, **described)
    @page.operation("chat_stream", errors=(404, 409, 429), parameters=[ON_DISCONNECT], makes_job=True)
    def chat_stream(values: dict[str, Any]) -> Response:
        """Send a message, and read the answer while it is made."""
        return stream(lambda: _begin(agent, values), cancels=cancels_on_leaving(), frames=_frames)


def _begin(agent: Agent, values: Mapping[str, Any]) -> tuple[Job, Subscription]:
    job, subscription = start(agent, *_split(values))
    g.conversation_id = job.conversation
    return job, subscription


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """What the agent is given, and the turn that the message opens."""
    given = {name: value for name, value in values.items() if name != "conversation_id"}
    return given, turn_of(values["message"], values.get("conversation_id"))


def _answer(job: Job) -> dict[str, Any]:
    g.conversation_id = job.conversation
    return {
        "response": services().engine.result(job),
        "conversation_id": job.conversation,
        "tokens_used": job.usage.get("total_tokens", 0),
        "timestamp": job.completed_at,
    }


def _frames(job: Job, events: Iterable[Event | None]) -> Iterator[bytes]:
    def encode(event: Event) -> bytes:
        written = frame(frame_of(event, job.conversation), id=event.id)
        return written + DONE if event.terminal else written

    return follow(said(events), encode)
