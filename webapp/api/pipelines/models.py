"""Models: upload them, and list their versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import orjson
from flask_smorest.fields import Upload
from werkzeug.datastructures import FileStorage

from tasks.pipelines.description import Model
from tasks.pipelines.management import Refused
from webapp.api.pipelines.calls import CallSchema, Values, call_blueprint, unknown, workspace_to_change
from webapp.api.uploads import PIECE
from webapp.auth import scopes
from webapp.auth.ownership import visible_workspace
from webapp.auth.principals import current_principal
from webapp.http.limits import takes_up_to
from webapp.schemas.document import Document
from webapp.services import services

models = call_blueprint("models", __name__, "Models of pipelines.")

VERSION = {
    "sha": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "models_pk_id": 1,
    "model_version": "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11",
    "model_id": "urldemomodel",
    "id": 1,
    "file_name": "urldemomodel.onnx",
    "status": "ready",
}


class ModelNameSchema(CallSchema):
    """A model: all its versions in its workspace."""

    model_id = ma.fields.String(required=True)
    models_pk_id = ma.fields.Integer(required=True)


class ModelVersionSchema(Document):
    """A version of a model."""

    sha = ma.fields.String(required=True)
    models_pk_id = ma.fields.Integer(required=True)
    model_version = ma.fields.String(required=True)
    model_id = ma.fields.String(required=True)
    id = ma.fields.Integer(required=True)
    file_name = ma.fields.String(required=True)
    status = ma.fields.String(required=True)


class UploadMetadataSchema(CallSchema):
    """What is said about an uploaded model."""

    name = ma.fields.String(required=True)
    workspace_id = ma.fields.Integer(required=True)


class UploadedModelSchema(CallSchema):
    """A model and what is said about it."""

    metadata = ma.fields.String(
        required=True,
        metadata={"description": "JSON: `name` and `workspace_id`.", "example": '{"name": "dga", "workspace_id": 2}'},
    )
    file = Upload(required=True, metadata={"description": "The model in ONNX."})


class InsertedModelsSchema(Document):
    """The model that was added."""

    insert_models = ma.fields.Dict(required=True)


@models.route("/v1/api/models/list_versions", methods=["POST"])
@scopes.needs(scopes.INFER)
@models.arguments(ModelNameSchema(), example={"model_id": "urldemomodel", "models_pk_id": 1})
@models.response(200, ModelVersionSchema(many=True), example=[VERSION])
@models.operation("list_model_versions")
def list_versions(values: Values) -> list[dict[str, Any]]:
    """List the versions of a model, the oldest first. `models_pk_id` is the id of any of them."""
    registry = services().registry
    named = registry.model(values["models_pk_id"])
    if named is None or named.name != values["model_id"] or visible_workspace(named.workspace) is None:
        raise unknown("model")
    return [
        _document(each) for each in registry.models() if (each.name, each.workspace) == (named.name, named.workspace)
    ]


@models.route("/v1/api/models/upload_and_convert", methods=["POST"])
@scopes.needs(scopes.DEPLOY)
@takes_up_to("MAX_MODEL_BYTES")
@models.form(UploadedModelSchema(), example={"metadata": '{"name": "dga", "workspace_id": 2}', "file": "(the bytes)"})
@models.response(200, InsertedModelsSchema, example={"insert_models": {"returning": [{"models": [{"id": 1}]}]}})
@models.operation("upload_model")
def upload_model(values: Values) -> dict[str, Any]:
    """Add a version of a model to a workspace. A worker reads it: what it could not run is refused."""
    said, file = _metadata(values["metadata"]), values["file"]
    workspace = workspace_to_change(said["workspace_id"])
    model = services().management.add_model(
        workspace, said["name"], file.filename or said["name"], lambda: _pieces(file), current_principal().id
    )
    return {"insert_models": {"returning": [{"models": [_document(model)]}]}}


def _metadata(text: str) -> Values:
    try:
        return dict(UploadMetadataSchema().load(orjson.loads(text)))
    except (orjson.JSONDecodeError, ma.ValidationError) as error:
        raise Refused("`metadata` must be JSON with a `name` and a `workspace_id`.") from error


def _pieces(file: FileStorage) -> Iterator[bytes]:
    file.stream.seek(0)  # it is read twice: for its digest, and to be stored
    while piece := file.stream.read(PIECE):
        yield piece


def _document(model: Model) -> dict[str, Any]:
    return {
        "sha": model.sha,
        "models_pk_id": model.id,
        "model_version": model.version,
        "model_id": model.name,
        "id": model.id,
        "file_name": model.file_name,
        "status": "ready",
    }
