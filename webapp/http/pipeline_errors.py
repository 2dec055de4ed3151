"""Errors as the clients of pipelines read them: a shape for inferences, one for other calls, one without a token."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, request

from webapp.http.problem import MEDIA_TYPE, title_of

JSON = "application/json"
NO_TOKEN = "Jwt is missing"  # noqa: S105 - no secret
ENGINE, PLATFORM = "engine", "platform"

Shape = Callable[[int, dict[str, Any]], dict[str, Any]]


def management_error(status: int, problem: dict[str, Any]) -> dict[str, Any]:
    """An error of a call that manages."""
    return {"msg": message_of(problem), "code": status}


def inference_error(status: int, problem: dict[str, Any]) -> dict[str, Any]:
    """An error of an inference. `source` is the engine when it is about the input or a model."""
    source = problem.get("source", PLATFORM)
    return {"code": status, "status": "error", "error": message_of(problem), "source": source}


def open_error(_: int, problem: dict[str, Any]) -> dict[str, Any]:
    """An error of the Open Inference Protocol."""
    return {"error": message_of(problem)}


def message_of(problem: dict[str, Any]) -> str:
    """One sentence for a problem: its first fault, if it names any."""
    faults = problem.get("errors") or [{"message": problem["detail"]}]
    field = faults[0].get("field")
    return f"{field}: {faults[0]['message']}" if field else str(faults[0]["message"])


def in_their_words(shape: Shape, no_token: str = NO_TOKEN) -> Callable[[Response], Response]:
    """Turn problems into errors of this shape, but a missing token into this text; all else stays what it is."""

    def turn(response: Response) -> Response:
        if response.mimetype != MEDIA_TYPE:
            return response
        if no_token and response.status_code == HTTPStatus.UNAUTHORIZED and not _came_with_key():
            response.set_data(no_token)
            response.mimetype = "text/plain"
            return response
        if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
            response.status_code = HTTPStatus.BAD_REQUEST
        response.set_data(orjson.dumps(shape(response.status_code, orjson.loads(response.get_data()))))
        response.mimetype = JSON
        return response

    return turn


def described_as(shape: Shape, no_token: str = NO_TOKEN) -> Callable[..., dict[str, Any]]:
    """Describe the errors of an operation as they are answered."""

    def describe(doc: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        responses = doc["responses"]
        if responses.pop("422", None) or responses.pop(422, None):
            responses[400] = HTTPStatus.BAD_REQUEST.name
        for status in [each for each in responses if int(each) >= HTTPStatus.BAD_REQUEST]:
            responses[status] = _described(int(status), shape, no_token)
        return doc

    return describe


def _described(status: int, shape: Shape, no_token: str) -> dict[str, Any]:
    example = shape(status, {"detail": "What went wrong."})
    schema = {
        "type": "object",
        "required": list(example),
        "properties": {name: {"type": "integer" if name == "code" else "string"} for name in example},
    }
    content: dict[str, Any] = {JSON: {"schema": schema, "example": example}}
    if no_token and status == HTTPStatus.UNAUTHORIZED:
        content["text/plain"] = {"schema": {"type": "string"}, "example": no_token}
    return {
        "description": title_of(status),
        "content": content,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
    }


def _came_with_key() -> bool:
    return bool(request.headers.get("X-API-Key") or request.headers.get("Authorization"))
