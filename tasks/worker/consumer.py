"""Celery's consumer, made to say that its loop turns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from celery.worker import state
from celery.worker.consumer import Consumer

from tasks.worker.transport import Channel

# Seconds between two tries to connect: a worker is back soon after Redis, however long that was away.
RECONNECT = 1.0
TICK = 1.0  # seconds between two marks of the event loop: far more often than anybody asks


class LivelyConsumer(Consumer):  # type: ignore[misc]
    """Calls `mark` from within its loop, and so only while it is connected: without a connection no loop runs."""

    mark: Callable[[], None] = staticmethod(lambda: None)  # given by the process at its start

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Channel.room = staticmethod(lambda: self.pool.num_processes - len(state.reserved_requests))

    def ensure_connected(self, conn: Any) -> Any:
        """Connect, for as long as it takes. Celery would wait two seconds more after each try, up to thirty."""
        conn.ensure_connection = functools.partial(
            conn.ensure_connection, interval_start=RECONNECT, interval_step=0, interval_max=RECONNECT
        )
        return super().ensure_connected(conn)

    def perform_pending_operations(self) -> None:
        """What the blocking loop (gevent) calls in every turn, at least every other second."""
        self.mark()
        super().perform_pending_operations()

    def register_with_event_loop(self, hub: Any) -> None:
        """What the event loop (prefork) calls at its start; Celery ends the timer with the connection."""
        super().register_with_event_loop(hub)
        hub.call_repeatedly(TICK, lambda: self.mark())  # noqa: PLW0108 - it is given after this
