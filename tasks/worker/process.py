"""The life of a worker process, told by Celery's signals: start, fork, ready, shut down."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from billiard import current_process
from celery import Celery, signals

from tasks.jobs import Conversations, Engine, artifact_store, connect, logs
from tasks.jobs.attempts import Attempts
from tasks.jobs.health import Health
from tasks.jobs.models import Models
from tasks.jobs.settings import EngineSettings
from tasks.metrics.settings import MetricsSettings
from tasks.pipelines.description import INFER, QUEUE, READ_MODEL
from tasks.pipelines.management import Management
from tasks.pipelines.readiness import Readiness
from tasks.pipelines.registry import Registry
from tasks.sdk import Agent
from tasks.tracing import exporting
from tasks.tracing.settings import TracingSettings
from tasks.worker.alive import Mark, Marks, path_of
from tasks.worker.consumer import LivelyConsumer
from tasks.worker.context import Services
from tasks.worker.drain import Drain
from tasks.worker.enforcement import GeventEnforcement, PreforkEnforcement
from tasks.worker.flusher import Flusher
from tasks.worker.folders import FolderDeployer
from tasks.worker.history import History
from tasks.worker.keeper import Keeper
from tasks.worker.leases import Leases
from tasks.worker.metrics import WorkerMetrics
from tasks.worker.models import ModelNews
from tasks.worker.providers import make_provider
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.request import JobRequest
from tasks.worker.runner import Enforcement, Runner
from tasks.worker.settings import WorkerSettings
from tasks.worker.warmer import Warmer
from tasks.worker.webhooks import Courier

log = logs.get_logger(__name__)


class WorkerProcess:
    """Builds what a process needs at the moment it needs it: the runner after the fork, the keeper before it."""

    def __init__(
        self,
        engine: EngineSettings,
        worker: WorkerSettings,
        provider: ProviderSettings,
        catalogue: Mapping[str, Agent],
        agent_settings: Mapping[str, str],
        *,
        metrics: MetricsSettings,
        tracing: TracingSettings,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._provider = provider
        self._catalogue = catalogue
        self._agent_settings = agent_settings
        self._metrics = WorkerMetrics(metrics)
        self._tracing = tracing
        self._drain = Drain(worker.drain)
        self._name = ""
        self._queues: set[str] = set()
        self._runner: Runner | None = None
        self._marks: Marks | None = None

    def connect_signals(self, app: Celery) -> None:
        # Celery keeps weak references to receivers unless told otherwise.
        signals.worker_init.connect(self._init, weak=False)
        signals.worker_ready.connect(self._ready, weak=False)
        signals.worker_process_init.connect(self._child_init, weak=False)
        signals.worker_shutting_down.connect(self._shutting_down, weak=False)
        signals.worker_shutdown.connect(self._shutdown, weak=False)
        self._app = app

    def run(self, job_id: str, queue: str) -> None:
        """The task: a doorway."""
        assert self._runner is not None  # a pool starts no task before its process is set up
        self._runner.run(job_id, queue)

    def _init(self, sender: Any, **_: Any) -> None:
        """In the main process, before its pool starts."""
        self._name = sender.hostname
        self._metrics.begin(self._name)
        self._queues = set(self._app.amqp.queues.consume_from)
        JobRequest.attempts = self._attempts()
        JobRequest.worker_name = self._name
        if not _forks(sender):
            self._runner = self._make_runner(GeventEnforcement())

    def _ready(self, **_: Any) -> None:
        """In the main process, once it consumes."""
        # No thread earlier than this: an import lock that is waited for, in a gevent process whose loop has
        # nothing to do yet, is a `LoopExit`.
        self._make_marks()
        if self._runner is not None:
            self._trace()
        attempts = self._attempts()
        Keeper(
            attempts, Engine(attempts.redis, self._engine, artifact_store(self._engine)), self._queues, self._mark
        ).start()
        if self._engine.webhook_secret:
            Courier(self._attempts).start()
        redis, store = connect(self._engine), artifact_store(self._engine)
        tell = functools.partial(Health(redis, self._engine).publish, attempts.worker)
        models = Models(redis, self._engine)
        ModelNews(make_provider(self._provider), self._provider, models, store.check, tell).start()
        if self._runs_models:
            self._deploy_folders()
        if self._runner is not None:
            self._runner.leases.start()
        self._metrics.serve(connect(self._engine), self._engine)

    def _trace(self) -> None:
        exporting.start(self._tracing, f"slipway-{self._name.partition('@')[0]}")

    def _make_marks(self) -> None:
        try:
            self._marks = Marks(path_of(self._worker.alive_dir, self._name))
        except OSError as error:  # it works, but nobody can tell
            log.error("alive.not_marked", error=error)
        LivelyConsumer.mark = staticmethod(lambda: self._mark(Mark.CONSUMER))

    def _mark(self, mark: Mark) -> None:
        if self._marks is not None:
            self._marks.touch(mark)

    def _child_init(self, **_: Any) -> None:
        """In a prefork child, after the fork."""
        self._marks = None  # its parent's
        self._metrics.begin_child(current_process().index)
        self._trace()
        # The terminal, honcho and systemd signal whole process groups: a child drains like its parent.
        signal.signal(signal.SIGTERM, lambda *_: self._drain.begin())
        self._runner = self._make_runner(PreforkEnforcement(self._attempts(), self._worker.cancel_grace))
        self._runner.leases.start()

    def _shutting_down(self, **_: Any) -> None:
        self._drain.begin()
        self._mark(Mark.DRAIN)

    def _shutdown(self, **_: Any) -> None:
        path_of(self._worker.alive_dir, self._name).unlink(missing_ok=True)

    def _make_runner(self, enforcement: Enforcement) -> Runner:
        flusher = Flusher(self._attempts(), self._worker.event_delay)
        # A child of a prefork worker says nothing: its parent replaces it when it is gone.
        leases = Leases(self._attempts(), self._drain, enforcement, lambda: self._mark(Mark.LEASES))
        history = History(Conversations(connect(self._engine), self._engine), self._provider.context_tokens)
        fonts = [Path(folder) for folder in self._worker.pdf_fonts]
        store = artifact_store(self._engine)
        services = Services(store, make_provider(self._provider), self._agent_settings, history, fonts)
        runner = Runner(self._attempts(), self._catalogue, services, flusher, leases, enforcement, self._drain)
        runner.set_up(self._queues)
        if self._runs_models:
            runner.models |= self._models()
        flusher.start()
        return runner

    @property
    def _runs_models(self) -> bool:
        return self._engine.serve_pipelines and QUEUE in self._queues

    def _deploy_folders(self) -> None:
        redis = connect(self._engine)
        engine, registry = Engine(redis, self._engine, artifact_store(self._engine)), Registry(redis, self._engine)
        management = Management(engine, registry)
        FolderDeployer(redis, engine.keys, registry, management, self._worker.pipelines).start()

    def _models(self) -> dict[str, Any]:
        """What the agents of pipelines share. Made in the process that runs them: its threads survive no fork."""
        from tasks.pipelines.runtime.sessions import Sessions  # noqa: PLC0415 - nobody else needs its libraries

        sessions, redis = Sessions(self._worker.inference_threads), connect(self._engine)
        registry, readiness = Registry(redis, self._engine), Readiness(redis, self._engine)
        Warmer(sessions, registry, readiness, artifact_store(self._engine), f"{self._name}/{os.getpid()}").start()
        return dict.fromkeys((INFER, READ_MODEL), sessions)

    def _attempts(self) -> Attempts:
        """A client of its own for each thread: what is shared between threads must not be waited for."""
        return Attempts(connect(self._engine), self._engine, f"{self._name}/{os.getpid()}")


def _forks(worker: Any) -> bool:
    return bool(worker.pool_cls.__module__.endswith("prefork"))
