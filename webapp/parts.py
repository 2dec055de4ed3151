"""Parts of the service that can be left out, each by one setting. What is left out is not even imported."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from flask import Flask

from tasks.jobs.settings import EngineSettings
from webapp.openapi import Api
from webapp.settings import WebSettings


def register(app: Flask, api: Api, settings: WebSettings, engine_settings: EngineSettings) -> None:
    """Serve the parts that are wanted. Each is a module with a function `register`."""
    for name in _wanted(settings, engine_settings):
        import_module(name).register(app, api)


def _wanted(settings: WebSettings, engine_settings: EngineSettings) -> Iterator[str]:
    if settings.serve_openai:
        yield "webapp.api.openai"
    if engine_settings.webhook_secret:
        yield "webapp.api.webhooks"
    if engine_settings.serve_pipelines:
        yield "webapp.api.pipelines.registration"
    if settings.playground:
        yield "webapp.playground.page"
