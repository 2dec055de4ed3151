"""The entry point of workers: `celery -A tasks.worker.main worker …`."""

from __future__ import annotations

import os

from tasks.jobs.environment import load, prefixed
from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from tasks.sdk import Catalogue
from tasks.tracing.settings import TracingSettings
from tasks.worker.app import create_app
from tasks.worker.process import WorkerProcess
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.settings import WorkerSettings

# Beside those that are listed: their jobs come through a door of their own.
PIPELINE_AGENTS = "tasks.pipelines.agents"

engine_settings = load(EngineSettings, os.environ)
worker_settings = load(WorkerSettings, os.environ)
provider_settings = load(ProviderSettings, os.environ)
packages = (PIPELINE_AGENTS,) if engine_settings.serve_pipelines else ()
process = WorkerProcess(
    engine_settings,
    worker_settings,
    provider_settings,
    Catalogue.load((*engine_settings.agents, *packages), engine_settings.queues),
    prefixed("AGENT_", os.environ),
    metrics=load(MetricsSettings, os.environ),
    tracing=load(TracingSettings, os.environ),
)
app = create_app(engine_settings, worker_settings, provider_settings, process)
