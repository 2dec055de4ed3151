"""The life of a worker process, told by Celery's signals: start, fork, ready, shut down."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Mapping
from typing import Any

from celery import Celery, signals

from tasks.jobs import Conversations, Engine, LocalArtifacts, connect
from tasks.jobs.attempts import Attempts
from tasks.jobs.models import Models
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Agent
from tasks.worker.context import Services
from tasks.worker.drain import Drain
from tasks.worker.enforcement import GeventEnforcement, PreforkEnforcement
from tasks.worker.flusher import Flusher
from tasks.worker.history import History
from tasks.worker.keeper import Keeper
from tasks.worker.leases import Leases
from tasks.worker.models import ModelNews
from tasks.worker.providers import make_provider
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.request import JobRequest
from tasks.worker.runner import Enforcement, Runner
from tasks.worker.settings import WorkerSettings

log = logging.getLogger(__name__)


class WorkerProcess:
    """Builds what a process needs at the moment it needs it: the runner after the fork, the keeper before it."""

    def __init__(
        self,
        engine: EngineSettings,
        worker: WorkerSettings,
        provider: ProviderSettings,
        catalogue: Mapping[str, Agent],
        agent_settings: Mapping[str, str],
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._provider = provider
        self._catalogue = catalogue
        self._agent_settings = agent_settings
        self._store = LocalArtifacts(engine.artifacts_dir)
        self._drain = Drain(worker.drain)
        self._name = ""
        self._queues: set[str] = set()
        self._runner: Runner | None = None

    def connect_signals(self, app: Celery) -> None:
        # Celery keeps weak references to receivers unless told otherwise.
        signals.worker_init.connect(self._init, weak=False)
        signals.worker_ready.connect(self._ready, weak=False)
        signals.worker_process_init.connect(self._child_init, weak=False)
        signals.worker_shutting_down.connect(self._shutting_down, weak=False)
        self._app = app

    def run(self, job_id: str, queue: str) -> None:
        """The task: a doorway."""
        assert self._runner is not None  # a pool starts no task before its process is set up
        self._runner.run(job_id, queue)

    def _init(self, sender: Any, **_: Any) -> None:
        """In the main process, before its pool starts."""
        self._name = sender.hostname
        self._queues = set(self._app.amqp.queues.consume_from)
        JobRequest.attempts = self._attempts()
        JobRequest.worker_name = self._name
        if not _forks(sender):
            self._runner = self._make_runner(GeventEnforcement())

    def _ready(self, **_: Any) -> None:
        """In the main process, once it consumes."""
        # No thread earlier than this: an import lock that is waited for, in a gevent process whose loop has
        # nothing to do yet, is a `LoopExit`.
        attempts = self._attempts()
        Keeper(attempts, Engine(attempts.redis, self._engine, self._store), self._queues).start()
        models = Models(connect(self._engine), self._engine)
        ModelNews(make_provider(self._provider), self._provider, models).start()
        if self._runner is not None:
            self._runner.leases.start()

    def _child_init(self, **_: Any) -> None:
        """In a prefork child, after the fork."""
        # The terminal, honcho and systemd signal whole process groups: a child drains like its parent.
        signal.signal(signal.SIGTERM, lambda *_: self._drain.begin())
        self._runner = self._make_runner(PreforkEnforcement(self._attempts(), self._worker.cancel_grace))
        self._runner.leases.start()

    def _shutting_down(self, **_: Any) -> None:
        self._drain.begin()

    def _make_runner(self, enforcement: Enforcement) -> Runner:
        flusher = Flusher(self._attempts(), self._worker.event_delay)
        leases = Leases(self._attempts(), self._drain, enforcement)
        history = History(Conversations(connect(self._engine), self._engine), self._provider.context_tokens)
        services = Services(self._store, make_provider(self._provider), self._agent_settings, history)
        runner = Runner(self._attempts(), self._catalogue, services, flusher, leases, enforcement, self._drain)
        runner.set_up(self._queues)
        flusher.start()
        return runner

    def _attempts(self) -> Attempts:
        """A client of its own for each thread: what is shared between threads must not be waited for."""
        return Attempts(connect(self._engine), self._engine, f"{self._name}/{os.getpid()}")


def _forks(worker: Any) -> bool:
    return bool(worker.pool_cls.__module__.endswith("prefork"))
