"""Deploy the pipelines that are declared by folders. A thread of the main process of workers that run models."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from tasks.jobs import logs
from tasks.jobs.keys import Keys
from tasks.pipelines.folders import Folder, deploy_folder, find
from tasks.pipelines.management import Management, Refused
from tasks.pipelines.registry import Registry
from tasks.worker.threads import start_os_thread

log = logs.get_logger(__name__)

AGAIN = 2.0  # seconds between two tries, as long as Redis or another worker is in the way
# One worker at a time: a lock that outlives the reading of a large model.
LOCKED = 150


class FolderDeployer:
    """Deploys what is new in the folders, once, after the start."""

    def __init__(
        self, redis: Redis, names: Keys, registry: Registry, management: Management, roots: Iterable[str]
    ) -> None:
        self._redis = redis
        self._lock = names.pipelines("folders")
        self._registry = registry
        self._management = management
        self._roots = tuple(roots)

    def start(self) -> None:
        start_os_thread("folders", self._run)

    def _run(self) -> None:
        while not self._done():
            time.sleep(AGAIN)

    def _done(self) -> bool:
        try:
            if not self._redis.set(self._lock, "1", nx=True, ex=LOCKED):
                return False
            try:
                return False not in [self._deploy(path) for path in find(self._roots)]
            finally:
                self._redis.delete(self._lock)
        except RedisError as error:
            log.warning("folders.redis_unavailable", error=error)
            return False

    def _deploy(self, path: Path) -> bool:
        """Deploy one folder. False: it may work later."""
        try:
            folder = Folder.read(path)
            if not folder.complete:
                log.warning("folders.model_missing", path=path)
            elif deployed := deploy_folder(folder, self._management, self._registry):
                log.info("folders.deployed", pipeline=deployed.pipeline)
        except Refused as error:
            log.warning("folders.refused", path=path, error=error)
            return not error.busy
        except (OSError, ValueError, LookupError, TypeError) as error:
            log.warning("folders.unreadable", path=path, error=repr(error))
        return True
