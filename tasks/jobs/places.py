"""The places of a pool of connections, for callers who wait without giving up too early or too late."""

from __future__ import annotations

import time
from queue import Empty, LifoQueue
from typing import Any

# A caller whose turn does not come although others have theirs: a burst of hundreds is served in a part of it.
MOST_PATIENCE = 10.0


class Places(LifoQueue[Any]):
    """Whoever waits gives up when nobody has had an answer for `timeout` seconds: that is an outage, a burst is none.

    A connection that comes back broken is no answer. redis-py closes it before it gives it back.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._answered = 0.0

    def put_nowait(self, item: Any) -> None:
        """Give a place back: with its connection, or with None where there is none yet."""
        if item is not None and item.is_connected:
            self._answered = time.monotonic()
        super().put_nowait(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Wait for a place. Raises `queue.Empty`."""
        if not block or timeout is None:
            return super().get(block, timeout)
        began = time.monotonic()
        while True:
            left = max(began, self._answered) + timeout - time.monotonic()
            try:
                return super().get(timeout=max(left, 0.0))
            except Empty:
                now = time.monotonic()
                if now >= max(began, self._answered) + timeout or now >= began + MOST_PATIENCE:
                    raise
