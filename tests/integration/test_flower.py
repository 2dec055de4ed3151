"""What Flower shows: it asks workers by Celery's broadcast, and listens to Celery's events, under our namespace."""

from __future__ import annotations

import threading
from typing import Any

from celery import Celery

from deploy.local.stack import Stack
from tasks.jobs.environment import load
from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from tasks.tracing.settings import TracingSettings
from tasks.worker.app import create_app
from tasks.worker.process import WorkerProcess
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.settings import WorkerSettings
from tests.support.client import Client


def app_of(stack: Stack) -> Celery:
    """The application as `celery --app tasks.worker.main flower` loads it."""
    engine, worker, provider = load(EngineSettings, stack.environment), WorkerSettings(), ProviderSettings()
    process = WorkerProcess(engine, worker, provider, {}, {}, metrics=MetricsSettings(), tracing=TracingSettings())
    return create_app(engine, worker, provider, process)


def test_a_worker_that_wants_to_be_seen_is_seen_with_its_jobs(stack: Stack) -> None:
    app = app_of(stack)
    heard: list[dict[str, Any]] = []
    with app.connection() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": heard.append})
        listening = threading.Thread(target=lambda: receiver.capture(limit=None, timeout=30, wakeup=False), daemon=True)
        stack.spawn("worker-io", "seen", CELERY_EVENTS="true")
        try:
            stack.wait_for("an answer", lambda: bool(app.control.inspect(timeout=1).ping()), 60)
            (queues,) = app.control.inspect(timeout=5, limit=1).active_queues().values()
            assert [each["name"] for each in queues] == ["io"]
            listening.start()
            client = Client(stack)

            def seen() -> bool:
                client.post("/v1/agents/echo/run", json={"text": "x"})
                return any(event["type"] == "task-succeeded" for event in heard)

            stack.wait_for("an event", seen, 30)
        finally:
            stack.lose("seen")
            receiver.should_stop = True
            listening.join(5)
    assert {event["hostname"].partition("@")[0] for event in heard if event["type"].startswith("task-")} == {"io-seen"}
