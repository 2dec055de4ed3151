"""Tell the web side which models the provider has, and what is wrong. A thread of every worker's main process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.health import Faults
from tasks.jobs.models import Models
from tasks.sdk.errors import ProviderError
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.threads import start_os_thread

log = logs.get_logger(__name__)

PERIOD = 60.0  # seconds: models come and go by the day, and the list costs the model server a request
KEPT = 5 * PERIOD  # a worker that is being replaced does not make the models vanish
EVERY = "*"


class Lists(Protocol):
    """A provider that knows its models."""

    @property
    def model(self) -> str: ...

    def list_models(self) -> list[str]: ...


class ModelNews:
    """Asks the provider and publishes what callers may choose. While it does not answer, what it said last counts."""

    def __init__(
        self,
        provider: Lists,
        settings: ProviderSettings,
        models: Models,
        check_store: Callable[[], None],
        tell: Callable[[Faults, float], None],
    ) -> None:
        self._provider = provider
        self._allowed = settings.models
        self._models = models
        self._check_store = check_store
        self._tell = tell
        self._names = [provider.model]
        self._faults: dict[str, str] = {}

    def start(self) -> None:
        start_os_thread("models", self._run)

    def _run(self) -> None:
        while True:
            try:
                # The default is known without asking, and asking may take as long as the model server likes.
                self.publish()
                self.ask()
                self.look_at_store()
                self.publish()
                self._tell(self._faults, KEPT)
            except RedisError as error:
                log.warning("models.not_published", error=error)
            except Exception:
                log.exception("models.failed")
            time.sleep(PERIOD)

    def publish(self) -> None:
        self._models.publish(self._names, KEPT)

    def ask(self) -> None:
        """Ask the provider for its models; also when nobody may choose them, to know whether it works."""
        self._faults["provider"] = ""
        self._faults.pop("model", None)
        try:
            listed = self._provider.list_models()
        except ProviderError as error:
            log.warning("models.not_listed", error=error.detail)
            self._faults["provider"] = error.detail
            return
        known = self._provider.model in listed
        self._faults["model"] = "" if known else f"The model server does not list the model {self._provider.model}."
        chosen = listed if EVERY in self._allowed else self._allowed
        self._names = list(dict.fromkeys([self._provider.model, *chosen]))

    def look_at_store(self) -> None:
        """Try to store a file."""
        self._faults["artifacts"] = ""
        try:
            self._check_store()
        except OSError as error:
            log.error("store.failed", error=error)
            self._faults["artifacts"] = f"Files cannot be stored: {error.strerror or error}."
