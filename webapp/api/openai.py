"""The door for OpenAI's clients: only their base URL and key change."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Flask, Response, request

from tasks.jobs import Event, Job, Status
from tasks.sdk import Agent, ReturnKind, Scalar
from webapp.api.blueprint import Blueprint
from webapp.api.running import location, raise_unless_completed, start
from webapp.api.saying import frame_of, said
from webapp.api.streaming import LEAVING, ON_DISCONNECT, STREAM, also_streamed, cancels_on_leaving, stream
from webapp.auth.ownership import unknown_job
from webapp.http.openai_errors import describe, error_object, in_their_words
from webapp.http.problem import Problem
from webapp.http.sse import HEARTBEAT, frame, text_frame
from webapp.openapi import Api
from webapp.schemas.openai import (
    COMPLETION,
    COMPLETION_EVENT,
    MODELS,
    REQUEST,
    ROLES,
    ChatCompletionRequestSchema,
    ChatCompletionSchema,
    ModelsSchema,
)
from webapp.services import services

MESSAGES = "chat_completion"
# Agents that are called with one text, but have a door of their own for what they need beside it.
ELSEWHERE = frozenset({"chat", MESSAGES})
UNKNOWN_YET = 5  # seconds: a worker says which models there are when it has started
DONE = text_frame("[DONE]")
RESTARTING = "The server restarts. The job goes on and can be read by its id."

Values = dict[str, Any]


def register(_: Flask, api: Api) -> None:
    """Serve the endpoints. What they can do depends on the agents of the application."""
    door = Blueprint("openai", __name__, "For clients that speak OpenAI's protocol.")
    door._prepare_doc_cbks.append(describe)
    door.after_request(in_their_words)
    _add_models(door)
    _add_completions(door)
    api.register_blueprint(door)


def _add_models(door: Blueprint) -> None:
    @door.route("/v1/models")
    @door.response(200, ModelsSchema, example=MODELS)
    @door.operation("list_models")
    def list_models() -> dict[str, Any]:
        """List the models: the provider's, and the agents that answer a text with text."""
        provided = services().models.names() or []
        agents = [name for name, agent in services().catalogue.items() if takes_text(agent)]
        # An agent goes before a model of its name: what it stands for must not change with the provider's list.
        owners = dict.fromkeys(provided, "provider") | dict.fromkeys(agents, "slipway")
        models = [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in owners.items()]
        return {"object": "list", "data": models}


def _add_completions(door: Blueprint) -> None:
    @door.route("/v1/chat/completions", methods=["POST"])
    @door.arguments(ChatCompletionRequestSchema(), location="json", example=REQUEST)
    @door.response(200, ChatCompletionSchema, example=COMPLETION, headers=STREAM["headers"])
    @door.operation(
        "create_chat_completion",
        errors=(404, 409, 429, 502, 504),
        parameters=[ON_DISCONNECT],
        makes_job=True,
        responses=also_streamed(COMPLETION_EVENT),
    )
    def create_chat_completion(values: Values) -> dict[str, Any] | Response:
        """Complete a chat, at once or with `stream` as server-sent events.

        An agent that is asked as a model is given the last message of the user, and those options that it takes.
        A caller that leaves a stream ends its
        job, unless `X-On-Disconnect` says `continue`.
        """
        # Nobody could take such a stream up again, so whoever leaves it has no more use for its job.
        cancels = cancels_on_leaving() if LEAVING in request.headers else True
        agent, payload = _resolve(values)
        if values.get("stream"):
            return _stream(agent, payload, values, cancels=cancels)
        return _complete(agent, payload, values)


def takes_text(agent: Agent) -> bool:
    """Whether an agent can be asked as a model is: one text that it needs, and a text as the answer."""
    needed = [each for each in agent.parameters if each.required]
    return (
        agent.name not in ELSEWHERE
        and len(needed) == 1
        and needed[0].type == Scalar(str)
        and agent.returns.kind in (ReturnKind.TEXT, ReturnKind.TOKENS)
    )


def _resolve(values: Values) -> tuple[Agent, Values]:
    """The agent that answers for a model, and what it is given."""
    catalogue, name = services().catalogue, values["model"]
    named = catalogue.get(name)
    if named is not None and takes_text(named):
        return named, _for_agent(named, values)
    provided = services().models.names()
    if provided is None:
        raise Problem(503, "models_unknown", "No worker is there yet.", headers={"Retry-After": str(UNKNOWN_YET)})
    if name not in provided or MESSAGES not in catalogue:
        errors = [{"field": "model", "message": f"The model {name[:100]} does not exist."}]
        raise Problem(404, "model_not_found", "There is no such model.", errors=errors)
    return catalogue[MESSAGES], _for_provider(values)


def _for_provider(values: Values) -> Values:
    messages = [{"role": ROLES[each["role"]], "content": each["content"]} for each in values["messages"]]
    return {"messages": messages, "model": values["model"], **_options(values)}


def _for_agent(agent: Agent, values: Values) -> Values:
    texts = [each["content"] for each in values["messages"] if each["role"] == "user"]
    if not texts:
        errors = [{"field": "messages", "message": "must hold a message of the user"}]
        raise Problem(422, "validation_failed", "There is no message to answer.", errors=errors)
    known = {each.name for each in agent.parameters}
    [needed] = [each.name for each in agent.parameters if each.required]
    return {needed: texts[-1]} | {name: value for name, value in _options(values).items() if name in known}


def _options(values: Values) -> Values:
    limit = values.get("max_completion_tokens") or values.get("max_tokens")
    options = {"temperature": values.get("temperature"), "max_tokens": limit, "stop": values.get("stop")}
    return {name: value for name, value in options.items() if value is not None}


def _complete(agent: Agent, payload: Values, values: Values) -> dict[str, Any]:
    started, subscription = start(agent, payload)
    with subscription:
        end = subscription.wait(services().settings.sync_budget)
    job = services().engine.get(started.id)
    if job is None:
        raise unknown_job()
    raise_unless_completed(job)
    if job.status is not Status.COMPLETED:
        raise Problem(504, "sync_budget_exceeded", "The job takes longer; it goes on.", headers=location(job))
    message = {"role": "assistant", "content": services().engine.result(job)}
    choice = {"index": 0, "message": message, "finish_reason": _reason(end), "logprobs": None}
    return _head(job, values, "chat.completion") | {"choices": [choice], "usage": job.usage}


def _stream(agent: Agent, payload: Values, values: Values, *, cancels: bool) -> Response:
    return stream(
        lambda: start(agent, payload), cancels=cancels, frames=lambda job, events: Chunks(job, values).frames(events)
    )


class Chunks:
    """The stream of one completion.

    Its frames have no ids and no `retry:`: OpenAI's clients take a frame without data for broken JSON.
    """

    def __init__(self, job: Job, values: Values) -> None:
        self._counts = bool((values.get("stream_options") or {}).get("include_usage"))
        self._head = _head(job, values, "chat.completion.chunk") | ({"usage": None} if self._counts else {})

    def frames(self, events: Iterable[Event | None]) -> Iterator[bytes]:
        """The frames for the events of the job."""
        yield self._chunk({"role": "assistant", "content": ""})
        for event in said(events):
            if event is None:
                yield HEARTBEAT
            elif event.type == "token":
                yield self._chunk({"content": event.data["content"]})
            else:
                yield from self._end(event)
                return
        yield frame(error_object(503, "restarting", RESTARTING)) + DONE

    def _end(self, event: Event) -> Iterator[bytes]:
        if event.type != "completed":
            told = frame_of(event, "")
            yield frame(error_object(500, told["code"], told["error"])) + DONE
            return
        yield self._chunk({}, _reason(event))
        if self._counts:
            yield frame(self._head | {"choices": [], "usage": event.data.get("usage", {})})
        yield DONE

    def _chunk(self, delta: Mapping[str, str], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return frame(self._head | {"choices": [choice]})


def _head(job: Job, values: Values, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{job.id.replace('-', '')}",
        "object": kind,
        "created": int(job.created_at.timestamp() or time.time()),
        "model": values["model"],
    }


def _reason(end: Event | None) -> str:
    return str(end.data.get("finish_reason") or "stop") if end else "stop"
