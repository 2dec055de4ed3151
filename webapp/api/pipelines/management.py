"""Pipelines: make them, deploy them, and ask where they are."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from tasks.pipelines.description import Deployment, Pipeline, Variant, Workspace
from tasks.pipelines.management import Refused
from webapp.api.pipelines.calls import (
    CallSchema,
    Values,
    call_blueprint,
    unknown,
    workspace_to_change,
    workspace_to_read,
)
from webapp.auth import scopes
from webapp.auth.ownership import own_workspace, visible_deployment
from webapp.schemas.document import Document
from webapp.services import services

pipelines = call_blueprint("pipelines", __name__, "Deployed models.")

DEFINITION = {"steps": [{"ModelInference": {"models": [{"name": "dga"}]}}, {"Check": {"expr": "main < 0.99"}}]}


class PipelineNameSchema(CallSchema):
    """A pipeline of a workspace."""

    workspace_id = ma.fields.Integer(required=True)
    pipeline_name = ma.fields.String(required=True)


class UrlSchema(Document):
    """Where it is."""

    url = ma.fields.String(required=True)


class NewPipelineSchema(CallSchema):
    """A version of a pipeline to make."""

    pipeline_id = ma.fields.String(required=True, metadata={"description": "Its name."})
    workspace_id = ma.fields.Integer(required=True)
    definition = ma.fields.Raw(
        load_default=dict, metadata={"description": "Steps, checks and batching; see docs/pipelines.md."}
    )


class PipelineVersionSchema(Document):
    """The version that was made."""

    pipeline_pk_id = ma.fields.Integer(required=True)
    pipeline_variant_pk_id = ma.fields.Integer(required=True)
    pipeline_variant_version = ma.fields.String(required=True)


class DeployRequestSchema(CallSchema):
    """A version of a pipeline to deploy."""

    deploy_id = ma.fields.String(required=True, metadata={"description": "The first part of its URL."})
    pipeline_version_pk_id = ma.fields.Integer(required=True)
    pipeline_id = ma.fields.Integer(required=True)
    model_ids = ma.fields.List(ma.fields.Integer(), load_default=list)


class DeployedSchema(Document):
    """The number of a deployment."""

    id = ma.fields.Integer(required=True)


class UndeployRequestSchema(CallSchema):
    """A deployment to end."""

    pipeline_id = ma.fields.Integer(required=True)
    deployment_id = ma.fields.Integer(required=True)


class DeploymentNameSchema(CallSchema):
    """A deployment."""

    name = ma.fields.String(required=True, metadata={"description": "As `urldemopipeline-1`."})


class DeploymentStatusSchema(Document):
    """How a deployment is."""

    status = ma.fields.String(required=True, validate=ma.validate.OneOf(["Starting", "Running", "Error"]))
    details = ma.fields.List(ma.fields.String(), required=True)
    engines = ma.fields.List(ma.fields.Dict(), required=True)
    engine_lbs = ma.fields.List(ma.fields.Dict(), required=True)
    sidekicks = ma.fields.List(ma.fields.Dict(), required=True)


NAME = {"workspace_id": 1, "pipeline_name": "urldemopipeline"}
PATH = "/v1/api/pipelines/infer/urldemopipeline-1"


@pipelines.route("/v1/api/admin/get_pipeline_external_url", methods=["POST"])
@scopes.needs(scopes.INFER)
@pipelines.arguments(PipelineNameSchema(), example=NAME)
@pipelines.response(200, UrlSchema, example={"url": f"https://api.example{PATH}"})
@pipelines.operation("get_pipeline_external_url")
def external_url(values: Values) -> dict[str, str]:
    """Say where a pipeline is reached from outside."""
    settings, deployment = services().settings, _deployed(values)
    if not settings.external_inference:
        raise Refused("Pipelines are not reached from outside: the administrator has not switched it on.")
    return {"url": settings.public_base_url.rstrip("/") + path_of(deployment)}


@pipelines.route("/v1/api/admin/get_pipeline_internal_url", methods=["POST"])
@scopes.needs(scopes.INFER)
@pipelines.arguments(PipelineNameSchema(), example=NAME)
@pipelines.response(200, UrlSchema, example={"url": f"http://web.slipway:29502{PATH}"})
@pipelines.operation("get_pipeline_internal_url")
def internal_url(values: Values) -> dict[str, str]:
    """Say where a pipeline is reached from inside, without a token."""
    settings, deployment = services().settings, _deployed(values)
    if not settings.internal_port:
        raise Refused("There is no internal port: the administrator has not switched it on.")
    base = settings.internal_base_url or f"http://127.0.0.1:{settings.internal_port}"
    return {"url": base.rstrip("/") + path_of(deployment)}


@pipelines.route("/v1/api/pipelines/create", methods=["POST"])
@scopes.needs(scopes.DEPLOY)
@pipelines.arguments(
    NewPipelineSchema(), example={"pipeline_id": "dgapipeline", "workspace_id": 2, "definition": DEFINITION}
)
@pipelines.response(
    200,
    PipelineVersionSchema,
    example={
        "pipeline_pk_id": 2,
        "pipeline_variant_pk_id": 2,
        "pipeline_variant_version": "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11",
    },
)
@pipelines.operation("create_pipeline")
def create_pipeline(values: Values) -> dict[str, Any]:
    """Make a pipeline, or another version of it."""
    workspace = workspace_to_change(values["workspace_id"])
    pipeline, variant = services().management.add_variant(workspace, values["pipeline_id"], values["definition"] or {})
    return {
        "pipeline_pk_id": pipeline.id,
        "pipeline_variant_pk_id": variant.id,
        "pipeline_variant_version": variant.version,
    }


@pipelines.route("/v1/api/pipelines/deploy", methods=["POST"])
@scopes.needs(scopes.DEPLOY)
@pipelines.arguments(
    DeployRequestSchema(),
    example={"deploy_id": "dgapipeline", "pipeline_version_pk_id": 2, "pipeline_id": 2, "model_ids": [2]},
)
@pipelines.response(200, DeployedSchema, example={"id": 2})
@pipelines.operation("deploy_pipeline")
def deploy(values: Values) -> dict[str, int]:
    """Let requests go to this version of a pipeline. Those that are under way end with the one they began with."""
    pipeline, workspace = _own(values["pipeline_id"])
    variant = services().registry.variant(values["pipeline_version_pk_id"])
    if variant is None or variant.pipeline != pipeline.id:
        raise unknown("version of the pipeline")
    return {"id": _deploy(workspace, pipeline, variant, values).id}


@pipelines.route("/v1/api/pipelines/undeploy", methods=["POST"])
@scopes.needs(scopes.DEPLOY)
@pipelines.arguments(UndeployRequestSchema(), example={"pipeline_id": 2, "deployment_id": 2})
@pipelines.response(200, Document, example={})
@pipelines.operation("undeploy_pipeline")
def undeploy(values: Values) -> dict[str, Any]:
    """Take no more requests. Those that are under way end as they would have."""
    pipeline, _ = _own(values["pipeline_id"])
    if values["deployment_id"] != pipeline.id:
        raise unknown("deployment")
    services().registry.undeploy(pipeline.id)
    return {}


@pipelines.route("/v1/api/status/get_deployment", methods=["POST"])
@scopes.needs(scopes.INFER)
@pipelines.arguments(DeploymentNameSchema(), example={"name": "urldemopipeline-1"})
@pipelines.response(
    200,
    DeploymentStatusSchema,
    example={
        "status": "Running",
        "details": [],
        "engines": [{"name": "cpu@worker/17", "status": "Running"}],
        "engine_lbs": [],
        "sidekicks": [],
    },
)
@pipelines.operation("get_deployment", errors=(404,))
def get_deployment(values: Values) -> dict[str, Any] | Response:
    """Say how a deployment is: `Running` when a worker process has loaded its models."""
    status, processes, faults = services().readiness.of(visible_deployment(values["name"]))
    engines = [{"name": name, "status": "Running"} for name in processes]
    return {"status": status, "details": faults, "engines": engines, "engine_lbs": [], "sidekicks": []}


def path_of(deployment: Deployment) -> str:
    """The path of its URL."""
    return f"/v1/api/pipelines/infer/{deployment.name}-{deployment.id}"


def _deployed(values: Values) -> Deployment:
    registry, workspace = services().registry, workspace_to_read(values["workspace_id"])
    pipeline = registry.find_pipeline(values["pipeline_name"], workspace.id)
    deployment = registry.deployment(pipeline.id) if pipeline else None
    if deployment is None:
        raise unknown("deployed pipeline")
    return deployment


def _own(identifier: int) -> tuple[Pipeline, Workspace]:
    pipeline = services().registry.pipeline(identifier)
    workspace = own_workspace(pipeline.workspace) if pipeline else None
    if pipeline is None or workspace is None:
        raise unknown("pipeline")
    return pipeline, workspace


def _deploy(workspace: Workspace, pipeline: Pipeline, variant: Variant, values: Values) -> Deployment:
    management = services().management
    return management.deploy(workspace, pipeline, variant, values["deploy_id"], values["model_ids"])
