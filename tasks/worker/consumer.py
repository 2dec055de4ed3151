"""Celery's consumer, made to say that its loop turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer

TICK = 1.0  # seconds between two marks of the event loop: far more often than anybody asks


class LivelyConsumer(Consumer):  # type: ignore[misc]
    """Calls `mark` from within its loop, and so only while it is connected: without a connection no loop runs."""

    mark: Callable[[], None] = staticmethod(lambda: None)  # given by the process at its start

    def perform_pending_operations(self) -> None:
        """What the blocking loop (gevent) calls in every turn, at least every other second."""
        self.mark()
        super().perform_pending_operations()

    def register_with_event_loop(self, hub: Any) -> None:
        """What the event loop (prefork) calls at its start; Celery ends the timer with the connection."""
        super().register_with_event_loop(hub)
        hub.call_repeatedly(TICK, lambda: self.mark())  # noqa: PLW0108 - it is given after this
