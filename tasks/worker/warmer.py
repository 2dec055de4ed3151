"""Load what is deployed into this process before anybody asks for it, and tell which models are ready."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.artifacts import ArtifactStore
from tasks.pipelines.description import Model, model_key
from tasks.pipelines.readiness import LOOK, Readiness
from tasks.pipelines.registry import Registry
from tasks.worker.threads import start_os_thread

if TYPE_CHECKING:
    from tasks.pipelines.runtime.sessions import Sessions

log = logs.get_logger(__name__)


class Warmer:
    """A thread of each process that runs models. Its first look is over before the process takes jobs."""

    def __init__(
        self, sessions: Sessions, registry: Registry, readiness: Readiness, store: ArtifactStore, process: str
    ) -> None:
        self._sessions = sessions
        self._registry = registry
        self._readiness = readiness
        self._store = store
        self._process = process
        self._faults: dict[str, str] = {}

    def start(self) -> None:
        self._look()
        start_os_thread("warmer", self._run)

    def _run(self) -> None:
        while True:
            time.sleep(LOOK)
            self._look()

    def _look(self) -> None:
        try:
            self.look()
        except RedisError as error:
            log.warning("warmer.deployments_unread", error=error)
        except Exception:
            log.exception("warmer.failed")

    def look(self) -> None:
        """Load what is new, let go of what is old, and say what there is."""
        models = {model.sha: model for each in self._registry.deployments() for model in each.models}
        # What could not be loaded is tried again: its file may have come late.
        self._faults = {sha: "" if self._faults.get(sha) == "" else self._load(model) for sha, model in models.items()}
        self._readiness.publish(self._process, self._faults)
        self._sessions.keep(models)

    def _load(self, model: Model) -> str:
        """Why it cannot be loaded; empty when it is."""
        try:
            self._sessions.get(model.sha, lambda: b"".join(self._store.open(model_key(model.sha)))).warm()
        except Exception as error:
            log.warning("model.not_loaded", model=model.name, sha=model.sha[:12], error=error)
            return f"{model.name}: {error}"
        log.info("model.loaded", model=model.name, sha=model.sha[:12])
        return ""
