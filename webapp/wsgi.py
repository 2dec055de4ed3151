"""The entry point of the web side: `gunicorn webapp.wsgi:app`, and what the `flask` command loads."""

from __future__ import annotations

import os
import sys

from tasks.jobs.environment import SettingError, load
from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from webapp.factory import create_app
from webapp.http.logging import configure
from webapp.settings import WebSettings

try:
    settings = load(WebSettings, os.environ)
    engine_settings = load(EngineSettings, os.environ)
    metrics_settings = load(MetricsSettings, os.environ)
except SettingError as error:
    # It says the variable and what is wrong with it; where in the code that was found out helps nobody.
    sys.exit(str(error))
configure(settings.log_level, settings.log_json, hidden=[settings.api_key])
app = create_app(settings, engine_settings, metrics=metrics_settings)
