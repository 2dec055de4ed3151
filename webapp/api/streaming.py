"""Answer with what a job says while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from flask import Response, request
from redis.exceptions import RedisError

from tasks.jobs import Engine, Event, Job, logs
from tasks.sdk import Agent
from webapp.api import credits
from webapp.api.running import start
from webapp.auth.principals import current_principal
from webapp.events.subscription import Subscription
from webapp.http.problem import Problem
from webapp.http.sse import MEDIA_TYPE, follow, sse_response
from webapp.services import services

LEAVING = "X-On-Disconnect"
ON_DISCONNECT = {
    "in": "header",
    "name": LEAVING,
    "description": "What becomes of the job when its caller leaves the stream: it goes on, unless this says `cancel`.",
    "schema": {"type": "string", "enum": ["continue", "cancel"], "default": "continue"},
}

SENT = """\
retry: 2000

id: 1-0
event: started
data: {"job_id":"0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11","attempt":1}

id: 1-1
event: token
data: {"content":"The text makes"}

id: 1-2
event: token
data: {"content":" three points."}

id: 1-3
event: completed
data: {"usage":{"prompt_tokens":212,"completion_tokens":6,"total_tokens":218}}

"""

EVENT = {"id": "1-1", "event": "token", "data": '{"content":"The text makes"}'}

# One event: OpenAPI 3.0 has no word for a sequence of them.
EVENT_SCHEMA = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "id": {"type": "string", "description": "Send the last one as `Last-Event-ID` to go on behind it."},
        "event": {"type": "string", "description": "What kind it is; `message` where nothing else is said."},
        "data": {"type": "string", "description": "One line of JSON, or `[DONE]` at the end of a chat."},
    },
}

# How the answer of a stream is described.
STREAM: dict[str, Any] = {
    "schema": EVENT_SCHEMA,
    "content_type": MEDIA_TYPE,
    "example": EVENT,
    "description": f"The job's events, such as\n\n```\n{SENT}```\n\nA stream that breaks is resumed at its `/events`.",
    "headers": {name: name for name in ("X-Job-ID", credits.HEADER)},
}

Begin = Callable[[], tuple[Job, Subscription]]
Frames = Callable[[Job, Iterable[Event | None]], Iterable[bytes]]

log = logs.get_logger(__name__)


def also_streamed(example: Mapping[str, str] = EVENT) -> dict[int, Any]:
    """Describe that the answer 200 of an operation is a stream for those who ask for one."""
    return {200: {"content": {MEDIA_TYPE: {"schema": EVENT_SCHEMA, "example": example}}}}


def prefers_stream() -> bool:
    """Whether the caller would rather have server-sent events than JSON."""
    return request.accept_mimetypes.best_match(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


def stream_agent(agent: Agent, values: Mapping[str, Any], *, cancels: bool) -> Response:
    """Start a job of `agent`, and answer with its events. With `cancels` a caller that leaves ends it."""
    return stream(lambda: start(agent, values), cancels=cancels)


def stream(begin: Begin, *, cancels: bool, frames: Frames = lambda _, events: follow(events)) -> Response:
    """Answer with the events of the job that `begin` starts or finds, as `frames` writes them.

    Raises a `Problem` with 429, and begins nothing, when the caller has as many streams open as it may.
    """
    give_back = services().streams.open(current_principal())
    try:
        job, subscription = begin()
    except BaseException:
        give_back()
        raise
    credits.streams(job)
    delivery = Delivery(services().engine, job, subscription, give_back, cancels=cancels)
    return sse_response(frames(job, delivery.events()), delivery.close)


def cancels_on_leaving() -> bool:
    """Whether the job is to be canceled when its caller leaves. Asked before the job is started."""
    said = request.headers.get(LEAVING, "continue").strip().lower()
    if said not in ("continue", "cancel"):
        raise Problem(400, "invalid_header", f"{LEAVING} is `cancel` or `continue`.")
    return said == "cancel"


class Delivery:
    """The events of a job on their way to one caller."""

    def __init__(
        self,
        engine: Engine,
        job: Job,
        subscription: Subscription,
        give_back: Callable[[], object] = lambda: None,
        *,
        cancels: bool,
    ) -> None:
        self._engine = engine
        # Only who cancels it needs the record again: 2 KiB, and there are thousands of idle streams.
        self._job = job if cancels else None
        self._subscription = subscription
        self._give_back = give_back

    def events(self) -> Iterator[Event | None]:
        """The events, and None for each heartbeat."""
        return self._subscription.events()

    def close(self) -> None:
        """The server lets go of the stream: it is over, or its caller has left."""
        # When this process drains, the caller will go on elsewhere, and the job goes on for it.
        left = not self._subscription.over
        self._subscription.close()
        self._give_back()
        if self._job is not None and left:
            self._cancel(self._job)

    def _cancel(self, job: Job) -> None:
        try:
            self._engine.cancel(job)
            log.info("stream.left", job_id=job.id)
        except RedisError as error:
            log.warning("stream.left_uncanceled", job_id=job.id, error=error)
