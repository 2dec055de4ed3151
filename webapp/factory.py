"""Build the application."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from tasks.jobs.settings import EngineSettings
from tasks.sdk import Agent, Catalogue
from webapp import browsers, cli, services
from webapp.api import agents, ai_service, running
from webapp.api.docs import docs
from webapp.api.jobs import jobs
from webapp.api.system import system
from webapp.auth import guard
from webapp.encoding import OrjsonProvider
from webapp.http import limits, logging, problem, request_id
from webapp.openapi import Api
from webapp.schemas.agent_input import InputSchemas
from webapp.settings import WebSettings


def create_app(
    settings: WebSettings, engine_settings: EngineSettings, *, catalogue: Mapping[str, Agent] | None = None
) -> Flask:
    """Build the application. Nothing is connected to yet; the agents are those of the settings unless given."""
    app = Flask("webapp", static_folder=None)
    app.json = OrjsonProvider(app)
    known = Catalogue.load(engine_settings.agents, engine_settings.queues) if catalogue is None else catalogue
    app.extensions[services.EXTENSION] = services.build(settings, engine_settings, known)
    _add_layers(app, settings)
    _add_endpoints(app, settings, known)
    app.cli.add_command(cli.keys)
    return app


def _add_layers(app: Flask, settings: WebSettings) -> None:
    """Put around the views what all of them need. Of what runs before a view, the first named here runs first."""
    logging.init_app(app)
    request_id.init_app(app)
    problem.init_app(app)
    browsers.init_app(app, settings.cors_origins)
    # Who may not call is told so before anything of the body is read.
    guard.init_app(app)
    limits.init_app(app, settings.max_body)
    running.init_app(app)
    if settings.proxies:
        # Only where every request does come through them: whoever reaches the process directly can say anything.
        proxied = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
        app.wsgi_app = proxied  # type: ignore[method-assign]


def _add_endpoints(app: Flask, settings: WebSettings, catalogue: Mapping[str, Agent]) -> None:
    api = Api(app, settings)
    inputs = InputSchemas()
    # In the order in which the document shows them.
    for blueprint in (
        ai_service.blueprint(catalogue, inputs),
        agents.blueprint(catalogue, inputs),
        jobs,
        system,
        docs,
    ):
        api.register_blueprint(blueprint)
