"""Build the application."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from tasks.sdk import Agent, Catalogue
from webapp import browsers, commands, parts, services
from webapp.api import agents, ai_service, chat, credits, dead_jobs, idempotency, running, sockets, tasks
from webapp.api.conversations import conversations
from webapp.api.conversations import init_app as init_conversations
from webapp.api.docs import docs
from webapp.api.files import files
from webapp.api.job_pages import jobs
from webapp.api.streams import streams
from webapp.api.system import system
from webapp.api.tickets import tickets
from webapp.auth import guard, throttle
from webapp.encoding import OrjsonProvider
from webapp.http import limits, logging, metrics_port, problem, request_id
from webapp.openapi import Api
from webapp.schemas.agent_input import InputSchemas
from webapp.settings import WebSettings


def create_app(
    settings: WebSettings,
    engine_settings: EngineSettings,
    *,
    catalogue: Mapping[str, Agent] | None = None,
    metrics: MetricsSettings | None = None,
) -> Flask:
    """Build the application. Nothing is connected to yet; the agents are those of the settings unless given."""
    app = Flask("webapp", static_folder=None)
    app.json = OrjsonProvider(app)
    known = Catalogue.load(engine_settings.agents, engine_settings.queues) if catalogue is None else catalogue
    app.extensions[services.EXTENSION] = services.build(settings, engine_settings, known)
    _add_layers(app, settings)
    _add_endpoints(app, settings, engine_settings, known)
    metrics_port.init_app(app, metrics or MetricsSettings())
    commands.init_app(app, pipelines=engine_settings.serve_pipelines)
    return app


def _add_layers(app: Flask, settings: WebSettings) -> None:
    """Put around the views what all of them need. Of what runs before a view, the first named here runs first."""
    logging.init_app(app)
    request_id.init_app(app)
    problem.init_app(app)
    browsers.init_app(app, settings.cors_origins)
    throttle.init_app(app)
    # Who may not call is told so before anything of the body is read.
    guard.init_app(app)
    larger = {
        "MAX_FILE_BYTES": settings.max_file,
        "MAX_INFERENCE_BYTES": settings.max_inference_body,
        "MAX_MODEL_BYTES": settings.max_model_body,
    }
    limits.init_app(app, settings.max_body, larger)
    running.init_app(app)
    idempotency.init_app(app)
    credits.init_app(app)
    init_conversations(app)
    if settings.proxies:
        # Only where every request does come through them: whoever reaches the process directly can say anything.
        proxied = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
        app.wsgi_app = proxied  # type: ignore[method-assign]


def _add_endpoints(
    app: Flask, settings: WebSettings, engine_settings: EngineSettings, catalogue: Mapping[str, Agent]
) -> None:
    api = Api(app, settings)
    inputs = InputSchemas()
    # In the order in which the document shows them.
    for blueprint in (
        ai_service.blueprint(catalogue, inputs),
        chat.blueprint(catalogue, inputs),
        conversations,
        agents.blueprint(catalogue, inputs),
        tasks.blueprint(catalogue),
        jobs,
        streams,
        files,
        tickets,
        system,
        docs,
    ):
        api.register_blueprint(blueprint)
    parts.register(app, api, settings, engine_settings)
    app.register_blueprint(dead_jobs.dead)
    app.register_blueprint(sockets.blueprint(catalogue, inputs))
