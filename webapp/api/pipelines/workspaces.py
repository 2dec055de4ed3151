"""Workspaces: where models and pipelines are kept."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from tasks.pipelines.description import SHARED, Model, Pipeline, Workspace
from tasks.pipelines.management import Refused, check_name
from tasks.pipelines.registry import NameTaken
from webapp.api.pipelines.calls import CallSchema, Values, call_blueprint
from webapp.auth import scopes
from webapp.auth.principals import current_principal
from webapp.schemas.document import Document, Part
from webapp.services import services

workspaces = call_blueprint("workspaces", __name__, "Where models and pipelines are kept.")

EXAMPLE = {
    "id": 1,
    "name": "urldemoworkspace",
    "created_at": "2026-01-15T09:30:06.000+00:00",
    "created_by": "system",
    "archived": False,
    "models": [1],
    "pipelines": [1],
}


class WorkspacesRequestSchema(CallSchema):
    """A request for the workspaces."""


class WorkspacePart(Part):
    """A workspace."""

    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    created_at = ma.fields.String(required=True)
    created_by = ma.fields.String(
        required=True, metadata={"description": "Its owner; `system` for what everybody sees."}
    )
    archived = ma.fields.Boolean(required=True)
    models = ma.fields.List(ma.fields.Integer(), required=True)
    pipelines = ma.fields.List(ma.fields.Integer(), required=True)


class WorkspacesSchema(Document):
    """The workspaces that the caller sees."""

    workspaces = ma.fields.List(ma.fields.Nested(WorkspacePart), required=True)


class NewWorkspaceSchema(CallSchema):
    """A workspace to make."""

    workspace_name = ma.fields.String(required=True)


class WorkspaceIdSchema(Document):
    """The workspace that was made."""

    workspace_id = ma.fields.Integer(required=True)


@workspaces.route("/v1/api/workspaces/list", methods=["POST"])
@scopes.needs(scopes.INFER)
@workspaces.arguments(WorkspacesRequestSchema(), example={})
@workspaces.response(200, WorkspacesSchema, example={"workspaces": [EXAMPLE]})
@workspaces.operation("list_workspaces")
def list_workspaces(_: Values) -> Values:
    """List the workspaces: your own, and those that everybody sees."""
    registry, me = services().registry, current_principal().id
    seen = [each for each in registry.workspaces() if each.owner in (SHARED, me)]
    models, pipelines = registry.models(), registry.pipelines()
    return {"workspaces": [_document(each, models, pipelines) for each in seen]}


@workspaces.route("/v1/api/workspaces/create", methods=["POST"])
@scopes.needs(scopes.DEPLOY)
@workspaces.arguments(NewWorkspaceSchema(), example={"workspace_name": "fraud"})
@workspaces.response(200, WorkspaceIdSchema, example={"workspace_id": 2})
@workspaces.operation("create_workspace")
def create_workspace(values: Values) -> dict[str, Any]:
    """Make a workspace of your own."""
    name = values["workspace_name"]
    check_name("workspace", name)
    registry = services().registry
    try:
        # One of everybody's names would not be told from it in a list.
        if registry.find_workspace(name, SHARED):
            raise NameTaken(name)
        return {"workspace_id": registry.create_workspace(name, current_principal().id).id}
    except NameTaken as error:
        raise Refused(f"There is a workspace {name} already.") from error


def _document(workspace: Workspace, models: list[Model], pipelines: list[Pipeline]) -> dict[str, Any]:
    return {
        "id": workspace.id,
        "name": workspace.name,
        "created_at": workspace.created_at,
        "created_by": workspace.owner,
        "archived": False,
        "models": [each.id for each in models if each.workspace == workspace.id],
        "pipelines": [each.id for each in pipelines if each.workspace == workspace.id],
    }
