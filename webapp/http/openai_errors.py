"""Errors in the shape that OpenAI's clients read, on the paths that they call."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, g

from webapp.http.problem import MEDIA_TYPE, title_of
from webapp.schemas.openai import ERROR_SCHEMA

INVALID = "invalid_request_error"
TYPES = {400: INVALID, 401: INVALID, 404: INVALID, 413: INVALID, 415: INVALID, 429: "rate_limit_error"}
CODES = {"unauthorized": "invalid_api_key", "limit_reached": "rate_limit_exceeded"}
BROKEN = "server_error"


def error_object(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    """An error, as it stands in an answer or in a stream."""
    kind = TYPES.get(status, INVALID if status < HTTPStatus.INTERNAL_SERVER_ERROR else BROKEN)
    return {"error": {"message": message, "type": kind, "param": param, "code": CODES.get(code, code)}}


def in_their_words(response: Response) -> Response:
    """Turn a problem into such an error; every other answer stays what it is."""
    if response.mimetype != MEDIA_TYPE:
        return response
    problem = orjson.loads(response.get_data())
    faults = problem.get("errors") or [{"message": problem["detail"]}]
    field = faults[0].get("field") or None
    message = f"{field}: {faults[0]['message']}" if field else faults[0]["message"]
    if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        response.status_code = HTTPStatus.BAD_REQUEST
    response.set_data(orjson.dumps(error_object(response.status_code, problem["code"], message, field)))
    response.mimetype = "application/json"
    if "job_id" in g:
        # Their clients repeat what failed with a 5xx: a job that was made would be made again.
        response.headers["x-should-retry"] = "false"
    return response


def describe(doc: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
    """Describe the errors of an operation as they are answered."""
    responses = doc["responses"]
    if responses.pop("422", None) or responses.pop(422, None):
        responses[400] = HTTPStatus.BAD_REQUEST.name
    for status in [each for each in responses if int(each) >= HTTPStatus.BAD_REQUEST]:
        responses[status] = _described(int(status))
    return doc


def _described(status: int) -> dict[str, Any]:
    example = error_object(status, title_of(status).lower().replace(" ", "_"), "What went wrong.")
    return {
        "description": title_of(status),
        "content": {"application/json": {"schema": ERROR_SCHEMA, "example": example}},
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
    }
