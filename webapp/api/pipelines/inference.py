"""Run a pipeline. The body goes to a worker unread: a large one would hold up every stream of this process."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from tasks.pipelines.exchange import ARROW, JSON, Wanted
from webapp.api.blueprint import Blueprint
from webapp.api.pipelines.running import run_deployment
from webapp.auth import scopes
from webapp.auth.guard import came_internally
from webapp.auth.ownership import unknown_deployment, visible_deployment
from webapp.http.limits import accepts, takes_up_to
from webapp.http.pipeline_errors import described_as, in_their_words, inference_error
from webapp.http.problem import Problem
from webapp.services import services

ARGUMENTS = {
    "deployment": {
        "description": "The deployment and its number.",
        "schema": {"type": "string"},
        "example": "urldemopipeline-1",
    },
    "pipeline": {
        "description": "The pipeline, which clients name once more.",
        "schema": {"type": "string"},
        "example": "urldemopipeline",
    },
}

LONGEST_SEPARATOR = 8
PREFIX = "/v1/api/pipelines/infer"
ROW = [0] * 39 + [24, 8, 5, 12, 37, 1, 14, 15, 5, 11, 4]
ONE_RESULT = [
    {
        "model_name": "urldemomodel",
        "model_version": "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11",
        "pipeline_name": "urldemopipeline",
        "outputs": [{"Float": {"v": 1, "dim": [1, 1], "data": [0.0015]}}],
        "elapsed": 290668,
        "time": 1669821622803,
        "original_data": {"text_input": [ROW]},
        "check_failures": [],
        "shadow_data": {},
    }
]
ANY: dict[str, Any] = {"type": "object", "additionalProperties": True}
BODY = {
    "required": True,
    "content": {
        JSON: {
            "schema": {"oneOf": [ANY, {"type": "array", "items": ANY}]},
            "example": {"text_input": [ROW]},
        },
        ARROW: {"schema": {"type": "string", "format": "binary"}, "example": "ARROW1…"},
    },
}
SELECTION = [
    {
        "in": "query",
        "name": name,
        "required": False,
        "description": description,
        "schema": {"type": "array", "items": {"type": "string"}},
        "example": example,
    }
    for name, description, example in (
        ("dataset[]", "Which parts of a record are wanted.", ["*"]),
        ("dataset.exclude[]", "Which are not.", ["metadata"]),
    )
] + [
    {
        "in": "query",
        "name": "dataset.separator",
        "required": False,
        "description": "What joins the parts of a name, as `out.main`; without it they are nested.",
        "schema": {"type": "string", "maxLength": LONGEST_SEPARATOR},
        "example": ".",
    }
]


def blueprint() -> Blueprint:
    """The endpoints."""
    inference = Blueprint("inference", __name__, "Run a pipeline.")
    inference._prepare_doc_cbks.append(described_as(inference_error))
    inference.after_request(in_their_words(inference_error))
    _add(inference, f"{PREFIX}/<deployment>", "infer", "deployment")
    _add(inference, f"{PREFIX}/<deployment>/<pipeline>", "infer_named", "deployment", "pipeline")
    return inference


def _add(inference: Blueprint, path: str, operation: str, *arguments: str) -> None:
    described = [{"in": "path", "name": name, "required": True, **ARGUMENTS[name]} for name in arguments]

    @inference.route(path, methods=["POST"], endpoint=operation, parameters=[*described, *SELECTION])
    @scopes.needs(scopes.INFER)
    @takes_up_to("MAX_INFERENCE_BYTES")
    @accepts(JSON, ARROW)
    @inference.response(
        200,
        {"type": "array", "items": ANY},
        example=ONE_RESULT,
        description="In the form of the body, or the one of `Accept`.",
    )
    @inference.operation(operation, errors=(404, 409, 504), requestBody=BODY)
    def infer(deployment: str, pipeline: str = "") -> Response:  # noqa: ARG001 - it is in the first part, too
        """Run a pipeline on every row of the body.

        An object of inputs (`application/json`) is answered with one result, records (`format=pandas-records`) and
        Arrow with a record for each row.
        """
        if not services().settings.external_inference and not came_internally():
            raise unknown_deployment()
        return run_deployment(visible_deployment(deployment), wanted())


def wanted() -> Wanted:
    """What this request sends and asks for."""
    accepted = request.accept_mimetypes
    arrow = accepted.best_match([JSON, ARROW], default="") == ARROW and "*/*" not in accepted.values()
    accept = ARROW if arrow else JSON if request.mimetype == ARROW and JSON in accepted.values() else ""
    return Wanted(
        content=request.mimetype,
        accept=accept,
        include=request.args.getlist("dataset[]") or ["*"],
        exclude=request.args.getlist("dataset.exclude[]"),
        separator=separator(),
    )


def separator() -> str:
    """What joins the parts of a name in the answer."""
    found = request.args.get("dataset.separator", "")
    if len(found) > LONGEST_SEPARATOR:
        raise Problem(400, "invalid_separator", f"dataset.separator has {LONGEST_SEPARATOR} characters at most.")
    return found
