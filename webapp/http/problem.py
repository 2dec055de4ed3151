"""Errors as RFC 9457 problem details: one shape for every error of every route."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from flask import Flask, Response, request
from flask_smorest.error_handler import ErrorHandlerMixin
from marshmallow import Schema, fields
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError

from tasks.jobs import logs
from tasks.jobs.errors import StoreFailed
from webapp.http.request_id import current_request_id
from webapp.http.validation import describe_errors

MEDIA_TYPE = "application/problem+json"
# Our clients to Redis reconnect within a second; a caller that comes back sooner would only meet the same answer.
RETRY_AFTER = 2
# Names that RFC 9110 has changed since Python and Werkzeug took them from its predecessors.
TITLES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}

log = logs.get_logger(__name__)


class Problem(Exception):
    """Answer the request with a problem.

    `code` is a snake_case word for programs, `detail` a sentence for people and free of internals. `errors`
    lists what is wrong with the input, `extra` adds members of its own.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or title_of(status)
        self.headers = dict(headers or {})
        self.errors = errors
        self.extra = dict(extra or {})

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        document: dict[str, Any] = {
            **self.extra,
            "type": type_of(self.status, self.code),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": quote(request.path),
            "code": self.code,
            "request_id": current_request_id(),
        }
        return document if self.errors is None else {**document, "errors": list(self.errors)}

    def response(self) -> Response:
        """The whole answer."""
        response = Response(_encode(self.document()), self.status, mimetype=MEDIA_TYPE)
        # An error is about this moment: no cache may give it to the next caller.
        response.headers["Cache-Control"] = "no-store"
        response.headers.update(self.headers)
        return response


class ErrorItemSchema(Schema):
    """One fault of the input."""

    location = fields.String(metadata={"description": "Where the value was sent.", "example": "body"})
    pointer = fields.String(metadata={"description": "JSON pointer into the body.", "example": "#/param1"})
    field = fields.String(metadata={"description": "Path of the field.", "example": "param1"})
    message = fields.String(metadata={"description": "What is wrong.", "example": "Missing data for required field."})


class ProblemSchema(Schema):
    """An error as RFC 9457 problem details."""

    type = fields.String(required=True, metadata={"description": "URI of the kind of problem."})
    title = fields.String(required=True, metadata={"description": "The kind of problem in words."})
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    detail = fields.String(required=True, metadata={"description": "What went wrong this time."})
    instance = fields.String(required=True, metadata={"description": "The path that was asked for."})
    code = fields.String(required=True, metadata={"description": "The kind of problem as a word for programs."})
    request_id = fields.String(required=True, metadata={"description": "Give it when you report the problem."})
    errors = fields.List(fields.Nested(ErrorItemSchema), metadata={"description": "Each fault of the input."})


class ProblemErrors(ErrorHandlerMixin):  # type: ignore[misc]
    """Put before `flask_smorest.Api` among the bases: its own handler would drop Allow and Retry-After."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer with a problem."""
        return answer_http_exception(error)


def init_app(app: Flask) -> None:
    """Make every error of `app` a problem."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(RedisError, answer_redis_error)
    app.register_error_handler(StoreFailed, answer_store_failure)


def answer_http_exception(error: HTTPException) -> Response:
    """Turn an error of Werkzeug, Flask or webargs into a problem; its own headers stay.

    An exception that nobody expected arrives here as an `InternalServerError`: Flask has logged its traceback.
    """
    if error.response is not None:  # raised with a finished answer, a redirect for instance
        return error.response  # type: ignore[return-value]
    return _problem_of(error).response()


def answer_redis_error(error: RedisError) -> Response:
    """Jobs, keys and limits live in Redis: without it there is nothing to say but "later"."""
    if isinstance(error, RedisConnectionError | RedisTimeoutError):
        log.warning("redis.unavailable", error=error)
    else:
        log.exception("redis.refused", exc_info=error)
    detail = "The service cannot reach its storage at the moment. Try again shortly."
    headers = {"Retry-After": str(RETRY_AFTER)}
    return Problem(503, "storage_unavailable", detail, headers=headers).response()


def answer_store_failure(error: StoreFailed) -> Response:
    """A file that came with the request could not be stored: the disk is full, say."""
    log.error("store.failed", error=error)
    headers = {"Retry-After": str(RETRY_AFTER)}
    return Problem(503, "storage_unavailable", "Files cannot be stored at the moment.", headers=headers).response()


def title_of(status: int) -> str:
    """The name of a status."""
    try:
        return TITLES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Error"


def code_of(status: int) -> str:
    """The code of a problem that is no more than its status."""
    return title_of(status).lower().replace("-", "_").replace(" ", "_").replace("'", "")


def type_of(status: int, code: str) -> str:
    """The URI of a kind of problem; RFC 9457 wants `about:blank` for one that is no more than its status."""
    return "about:blank" if code == code_of(status) else f"urn:slipway:problem:{code}"


def _problem_of(error: HTTPException) -> Problem:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    sent: Mapping[str, Any] = getattr(error, "data", None) or {}  # what webargs' abort was given
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    headers.update(sent.get("headers") or {})
    messages = sent.get("errors") or sent.get("messages")
    if messages and status == HTTPStatus.UNPROCESSABLE_ENTITY:
        detail = "The input is not valid: `errors` says where and why."
        return Problem(status, "validation_failed", detail, headers=headers, errors=describe_errors(messages))
    if messages and status == HTTPStatus.BAD_REQUEST:
        return Problem(status, "malformed_json", "The body is not valid JSON.", headers=headers)
    detail = sent.get("message") or _detail_of(error, status)
    return Problem(status, code_of(status), detail, headers=headers)


def _detail_of(error: HTTPException, status: int) -> str:
    if isinstance(error, InternalServerError):
        # Whatever it was raised with may speak of the inside.
        return "The service failed unexpectedly. Give the request_id when you report it."
    return error.description or title_of(status)


def _encode(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # a lone surrogate that the caller sent and a message quotes
        return json.dumps(document, default=str).encode()
