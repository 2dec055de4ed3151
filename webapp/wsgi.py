"""The entry point of the web side: `gunicorn webapp.wsgi:app`, and what the `flask` command loads."""

from __future__ import annotations

import os

from tasks.jobs.environment import load
from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from webapp.factory import create_app
from webapp.http.logging import configure
from webapp.settings import WebSettings

settings = load(WebSettings, os.environ)
configure(settings.log_level, settings.log_json, hidden=[settings.api_key])
app = create_app(settings, load(EngineSettings, os.environ), metrics=load(MetricsSettings, os.environ))
