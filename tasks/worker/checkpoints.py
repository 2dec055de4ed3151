"""What an attempt has finished, kept in the record so that the next attempt need not do it again."""

from __future__ import annotations

import time
from typing import Any

import orjson
from redis.exceptions import RedisError

from tasks.jobs.attempts import STALE, Attempts
from tasks.worker.running import Reason, Running

PAUSE = 0.2  # seconds between two tries while Redis is away


class Checkpoints:
    """The checkpoints of one attempt. What is saved is written before `save` returns, and fenced like every event."""

    def __init__(self, running: Running, attempts: Attempts) -> None:
        self._running = running
        self._attempts = attempts
        self._saved: dict[str, Any] = dict(running.claim.job.checkpoints)

    def save(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name. Raises ValueError when it is larger than the record takes."""
        encoded = orjson.dumps(value)
        if len(encoded) > self._attempts.settings.inline_limit:
            raise ValueError(f"the checkpoint {name!r} has {len(encoded)} bytes; make an artifact of what is large")
        self._write(name, encoded)
        self._saved[name] = value

    def load(self, name: str) -> Any:
        """What this or an earlier attempt saved under the name; None when none did."""
        return self._saved.get(name)

    def _write(self, name: str, encoded: bytes) -> None:
        while True:
            self._running.check()
            try:
                answer = self._attempts.checkpoint(self._running.claim, name, encoded)
            except RedisError:
                time.sleep(PAUSE)
                continue
            if answer == STALE:
                self._running.interrupt(Reason.LOST)
                self._running.check()
            return
