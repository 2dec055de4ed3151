"""The one place where an application gets the routes of its pipelines."""

from __future__ import annotations

from flask import Flask

from webapp.api.pipelines import calls, inference, management, models, open_inference, workspaces
from webapp.openapi import Api


def register(app: Flask, api: Api) -> None:
    """Serve pipelines."""
    for blueprint in (
        workspaces.workspaces,
        models.models,
        management.pipelines,
        inference.blueprint(),
        open_inference.open_inference,
    ):
        api.register_blueprint(blueprint)
    calls.init_app(app)
