"""The Open Inference Protocol, version 2: what it calls a model is a deployed pipeline here."""

from __future__ import annotations

from json import dumps
from typing import Any

import marshmallow as ma
from flask import Response, request

from tasks.pipelines.description import Deployment
from tasks.pipelines.exchange import BINARY, JSON, OPEN, Wanted
from tasks.pipelines.open_inference import HEADER, metadata
from webapp.api import system
from webapp.api.blueprint import Blueprint
from webapp.api.pipelines.running import run_deployment
from webapp.auth import scopes
from webapp.auth.ownership import unknown_deployment, visible_by_name
from webapp.http.limits import accepts, takes_up_to
from webapp.http.pipeline_errors import described_as, in_their_words, open_error
from webapp.http.problem import Problem
from webapp.schemas.document import Document, Part
from webapp.services import services

NO_TYPE = ""  # some clients name none, whatever they send
RETRY_AFTER = "2"  # workers look at what is deployed as often

open_inference = Blueprint("open_inference", __name__, "The Open Inference Protocol, version 2.")
open_inference._prepare_doc_cbks.append(described_as(open_error, ""))
open_inference.after_request(in_their_words(open_error, ""))


class ServerSchema(Document):
    """The server."""

    name = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    extensions = ma.fields.List(ma.fields.String(), required=True)


class LiveSchema(Document):
    """Whether the process answers."""

    live = ma.fields.Boolean(required=True)


class ReadySchema(Document):
    """Whether requests can be taken."""

    ready = ma.fields.Boolean(required=True)
    name = ma.fields.String()


class TensorPart(Part):
    """An input or output. -1 stands for any size."""

    name = ma.fields.String(required=True)
    datatype = ma.fields.String(required=True)
    shape = ma.fields.List(ma.fields.Integer(), required=True)


class DeployedModelSchema(Document):
    """What a model takes and gives."""

    name = ma.fields.String(required=True)
    platform = ma.fields.String(required=True)
    inputs = ma.fields.List(ma.fields.Nested(TensorPart), required=True)
    outputs = ma.fields.List(ma.fields.Nested(TensorPart), required=True)


MODEL = {
    "in": "path",
    "name": "model",
    "required": True,
    "description": "The name of a deployment; with its number where several have that name.",
    "schema": {"type": "string"},
    "example": "urldemopipeline",
}
INPUT = {"name": "text_input", "shape": [1, 50], "datatype": "FP32"}
OUTPUT = {"name": "main", "shape": [1, 1], "datatype": "FP32"}
REQUESTED = {**INPUT, "data": [0] * 43 + [16, 35, 12, 24, 27, 23, 16]}
ANY: dict[str, Any] = {"type": "object", "additionalProperties": True}
BODY = {
    "required": True,
    "content": {
        JSON: {"schema": ANY, "example": {"inputs": [REQUESTED]}},
        BINARY: {"schema": {"type": "string", "format": "binary"}, "example": dumps({"inputs": [REQUESTED]})},
    },
}


@open_inference.route("/v2")
@open_inference.response(200, ServerSchema, example={"name": "Slipway", "version": "1", "extensions": []})
@open_inference.operation("server_metadata")
def server() -> dict[str, Any]:
    """Say what this server is."""
    settings = services().settings
    return {"name": settings.api_title, "version": settings.api_version, "extensions": ["binary_tensor_data"]}


@open_inference.route("/v2/health/live")
@open_inference.response(200, LiveSchema, example={"live": True})
@open_inference.operation("server_live")
def live() -> dict[str, bool]:
    """Tell that the process answers, as `/livez` does."""
    return {"live": True}


@open_inference.route("/v2/health/ready")
@open_inference.response(200, ReadySchema, example={"ready": True})
@open_inference.operation("server_ready", errors=(503,))
def ready() -> dict[str, bool]:
    """Tell whether requests can be taken, as `/readyz` does."""
    system.check_ready()
    return {"ready": True}


@open_inference.route("/v2/models/<model>", parameters=[MODEL])
@scopes.needs(scopes.INFER)
@open_inference.response(
    200,
    DeployedModelSchema,
    example={"name": "urldemopipeline", "platform": "onnxruntime_onnx", "inputs": [INPUT], "outputs": [OUTPUT]},
)
@open_inference.operation("model_metadata", errors=(404,))
def model_metadata(model: str) -> dict[str, Any]:
    """Say what a model takes and gives."""
    return metadata(_deployment(model))


@open_inference.route("/v2/models/<model>/ready", parameters=[MODEL])
@scopes.needs(scopes.INFER)
@open_inference.response(200, ReadySchema, example={"name": "urldemopipeline", "ready": True})
@open_inference.operation("model_ready", errors=(404, 503))
def model_ready(model: str) -> dict[str, Any]:
    """Tell whether a worker has loaded a model."""
    deployment = _deployment(model)
    status, _, faults = services().readiness.of(deployment)
    if status != "Running":
        detail = "; ".join(faults) or "No worker has loaded it yet."
        raise Problem(503, "not_ready", detail, headers={"Retry-After": RETRY_AFTER})
    return {"name": deployment.name, "ready": True}


@open_inference.route("/v2/models/<model>/infer", methods=["POST"], parameters=[MODEL])
@scopes.needs(scopes.INFER)
@takes_up_to("MAX_INFERENCE_BYTES")
@accepts(JSON, BINARY, NO_TYPE)
@open_inference.response(200, ANY, example={"model_name": "urldemopipeline", "outputs": [{**OUTPUT, "data": [0.04]}]})
@open_inference.operation("model_infer", errors=(404, 409, 504), requestBody=BODY)
def model_infer(model: str) -> Response:
    """Run a model. Tensors come as JSON or in binary behind it, and go as the request wants them."""
    return run_deployment(_deployment(model), Wanted(content=OPEN, json_bytes=_json_bytes()))


def _deployment(model: str) -> Deployment:
    if not services().settings.external_inference:
        raise unknown_deployment()
    return visible_by_name(model)


def _json_bytes() -> int:
    """How much of the body is JSON; 0 when nothing follows it."""
    said = request.headers.get(HEADER, "0")
    if not said.isascii() or not said.isdecimal() or not int(said[:12]) <= (request.content_length or 0):
        raise Problem(400, "invalid_header", f"{HEADER} must be the number of bytes that are JSON.")
    return int(said)
