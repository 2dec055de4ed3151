"""The one place where an application gets its pipelines: routes and commands."""

from __future__ import annotations

from flask import Flask

from webapp import pipelines_cli
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
    app.cli.add_command(pipelines_cli.pipelines)
