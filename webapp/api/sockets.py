"""Chat over a WebSocket: messages in, pieces of answers out, as long as the socket lives."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import flask
import marshmallow as ma
import orjson
from flask import current_app, request
from redis.exceptions import RedisError

from tasks.jobs import EngineError
from tasks.sdk import Agent
from webapp.api.conversations import turn_of
from webapp.api.running import start
from webapp.api.saying import frame_of, said
from webapp.api.streaming import Delivery, cancels_on_leaving
from webapp.auth.guard import admit
from webapp.auth.liveness import is_live
from webapp.auth.principals import current_principal
from webapp.auth.scopes import RUN, needs
from webapp.http.problem import Problem
from webapp.http.validation import describe_errors
from webapp.http.websocket import EXPIRED, REPLACED, RESTARTING, TOO_MANY, LostError, bound, end, see_off, serve
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.chat import chat_request
from webapp.services import services

if TYPE_CHECKING:
    from simple_websocket import Server

AGENT = "chat"
# Answers to a client that sends without reading them: more than a person types ahead.
MOST_UNREAD = 8
LOOK = 5.0  # seconds between two looks whether a socket of the same name took over in another process
NAME_KEPT = 60  # seconds that a name is remembered without a look


def blueprint(catalogue: Mapping[str, Agent], inputs: InputSchemas) -> flask.Blueprint:
    """The socket of the agent `chat`, if `catalogue` has it. OpenAPI has no word for it."""
    page = flask.Blueprint("sockets", __name__)
    page.before_request(_check_origin)
    agent = catalogue.get(AGENT)
    if agent is not None:
        schema = chat_request(agent, inputs)()

        # A socket is opened with GET, and runs jobs all the same.
        @page.route("/ws/<string(maxlength=100):client_id>", websocket=True)
        @needs(RUN)
        def chat(client_id: str) -> flask.Response:
            settings = services().settings
            return serve(lambda ws: Talk(ws, client_id, agent, schema).run(), settings.ws_ping, settings.ws_message)

    return page


def _check_origin() -> None:
    # A browser always says which page opens a socket. The Host that it says is no proof: a name can be pointed here.
    settings = services().settings
    own = urlsplit(settings.public_base_url)
    origin = request.headers.get("Origin")
    if origin is not None and origin not in (f"{own.scheme}://{own.netloc}", *settings.cors_origins):
        raise Problem(403, "foreign_origin", "Pages of this origin may not open a socket here.")
    cancels_on_leaving()  # a header that is wrong is refused while it can be


class Talk:
    """One socket: its messages are answered one after the other, in one conversation unless they say otherwise."""

    def __init__(self, ws: Server, client_id: str, agent: Agent, schema: ma.Schema) -> None:
        self._ws = ws
        self._name = SocketName(client_id)
        self._agent = agent
        self._schema = schema
        self._cancels = cancels_on_leaving()
        self._conversation: Any = None

    def run(self) -> None:
        """Talk until either side closes. Raises `ConnectionClosed` and `LostError`."""
        bound(self._ws, MOST_UNREAD)
        services().sockets.add(self._ws)
        try:
            self._converse()
        finally:
            services().sockets.discard(self._ws)
            if not self._ws.connected:
                see_off(self._ws)

    def _converse(self) -> None:
        try:
            give_back = services().streams.open(current_principal())
        except Problem as problem:
            end(self._ws, TOO_MANY, problem.detail)
            return
        with contextlib.ExitStack() as stack:
            stack.callback(give_back)
            self._name.take()
            while self._may_go_on():
                received = self._ws.receive(timeout=LOOK)
                if received is not None and self._may_go_on():
                    self._answer(received)

    def _may_go_on(self) -> bool:
        if not self._name.is_ours():
            end(self._ws, REPLACED, "A newer socket of this name has taken over.")
        elif not is_live(current_principal()):
            end(self._ws, EXPIRED, "The key is not valid any more.")
        else:
            return True
        return False

    def _answer(self, received: str | bytes) -> None:
        try:
            # As a request would be.
            admit(current_principal(), RUN)
            values = self._read(received)
            turn = turn_of(values["message"], values.pop("conversation_id", None) or self._conversation)
            job, subscription = start(self._agent, values, turn)
        except (Problem, EngineError, RedisError) as error:
            self._send(_told(error))
            return
        self._conversation = job.conversation
        delivery = Delivery(services().engine, job, subscription, cancels=self._cancels)
        with contextlib.closing(delivery):
            self._pass_on(delivery, {"job_id": job.id}, job.conversation)

    def _read(self, received: str | bytes) -> dict[str, Any]:
        try:
            document = orjson.loads(received)
        except orjson.JSONDecodeError as error:
            raise Problem(400, "malformed_json", f"The message is not valid JSON: {error}.") from error
        try:
            values: dict[str, Any] = self._schema.load(document)
        except ma.ValidationError as error:
            errors = describe_errors({"json": error.messages})
            raise Problem(422, "validation_failed", "The message is not valid.", errors=errors) from error
        return values

    def _pass_on(self, delivery: Delivery, about: dict[str, str], conversation: str) -> None:
        for event in said(delivery.events()):
            if event is None:
                if not self._ws.connected or not self._may_go_on():
                    return
                continue
            self._send(frame_of(event, conversation) | {"id": event.id} | about)
            if event.terminal:
                return
        # The process drains. The job goes on, and its events can be read by its id.
        end(self._ws, RESTARTING, "The server restarts.")

    def _send(self, document: Mapping[str, Any]) -> None:
        try:
            self._ws.send(orjson.dumps(document).decode())
        except OSError as error:
            raise LostError from error


class SocketName:
    """The name that a caller gave to its socket. The last one who took it has it, in whatever process."""

    def __init__(self, client_id: str) -> None:
        self._redis = services().engine.redis
        self._key = services().engine.keys.socket(current_principal().id, client_id)
        self._mark = secrets.token_hex(8)

    def take(self) -> None:
        """Take the name over from whoever has it."""
        self._redis.set(self._key, self._mark, ex=NAME_KEPT)

    def is_ours(self) -> bool:
        """Whether nobody else has taken it. While Redis does not answer, nobody can."""
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.get(self._key)
            pipeline.expire(self._key, NAME_KEPT)
            holder = pipeline.execute()[0]
        except RedisError:
            return True
        return holder in (None, self._mark.encode())


def _told(error: Exception) -> dict[str, Any]:
    """The frame for what HTTP would answer with a problem."""
    response: Any = current_app.handle_user_exception(error)
    problem = orjson.loads(response.get_data())
    told = {"error": problem["detail"], "code": problem["code"]}
    return told | ({"errors": problem["errors"]} if "errors" in problem else {})
