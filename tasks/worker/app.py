"""The Celery app: one task, no result backend, acknowledged early. The record is what retries, not the message."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery, signals

from tasks.jobs import logs
from tasks.jobs.connection import broker_options, tls
from tasks.jobs.keys import TASK_NAME, Keys
from tasks.jobs.settings import EngineSettings
from tasks.worker import transport
from tasks.worker.process import WorkerProcess
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.request import JobRequest
from tasks.worker.settings import WorkerSettings

# Celery's own lines for each message: ours say the same with the job's id and the request's.
SAID_BY_US = ("celery.worker.strategy", "celery.app.trace")


def create_app(
    engine: EngineSettings, worker: WorkerSettings, provider: ProviderSettings, process: WorkerProcess
) -> Celery:
    """Build the app and hang the process's life on Celery's signals."""
    transport.install()
    app = Celery("slipway", broker=broker_url(engine.redis_url))
    app.conf.update(_transport(engine) | _delivery() | _control(worker) | _pool(worker))

    # `bind` gives the task its request, which knows the queue that the message came from.
    @app.task(name=TASK_NAME, bind=True, Request=JobRequest)  # type: ignore[untyped-decorator]
    def run(task: Any, job_id: str) -> None:
        process.run(job_id, task.request.delivery_info["routing_key"])

    process.connect_signals(app)
    signals.setup_logging.connect(lambda **_: _configure_logs(worker, engine, provider), weak=False)
    return app


def _configure_logs(worker: WorkerSettings, engine: EngineSettings, provider: ProviderSettings) -> None:
    logs.configure(worker.log_level, worker.log_json, hidden=[engine.redis_url, provider.api_key])
    for name in SAID_BY_US:
        logging.getLogger(name).setLevel(logging.WARNING)


def broker_url(redis_url: str) -> str:
    """The same server in kombu's spelling, which has its own word for a Unix socket."""
    return redis_url.replace("unix://", "redis+socket://", 1)


def _transport(engine: EngineSettings) -> dict[str, Any]:
    return {
        "broker_use_ssl": tls(engine) or None,
        "broker_transport_options": {
            "global_keyprefix": Keys(engine.namespace).queue_prefix,
            **broker_options(),
        },
        # A worker outlives any outage of Redis: it tries for ever, also at its start.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": 2,
        # Our jobs do not hang on the connection: their record and their lease do.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _delivery() -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        # Without this Celery builds its result backend, which stores nothing, anew in each greenlet: for every job.
        "result_backend_thread_safe": True,
        "task_store_errors_even_if_ignored": False,
        "task_acks_late": False,
        # Take a message only when there is room to run it, so that waiting jobs stay where they are counted.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
    }


def _control(worker: WorkerSettings) -> dict[str, Any]:
    # No broadcast control unless somebody wants to look: cancel is a durable flag, liveness a heartbeat, and each of
    # these costs connections and a queue per worker.
    return {"worker_enable_remote_control": worker.celery_events, "worker_send_task_events": worker.celery_events}


def _pool(worker: WorkerSettings) -> dict[str, Any]:
    return {
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        # How long the parent waits for the last words of a dead child: ours are in Redis.
        "worker_lost_wait": 0.5,
        # It says that its loop turns: see tasks/worker/alive.py.
        "worker_consumer": "tasks.worker.consumer:LivelyConsumer",
        # A replaced child that loads a model longer than this would be killed and replaced for ever.
        "worker_proc_alive_timeout": worker.setup_timeout,
    }
