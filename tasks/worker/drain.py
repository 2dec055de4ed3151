"""Draining: a worker that is told to stop takes no new job and has a bounded time for those it runs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time


class Drain:
    """When draining ends, shared by a worker's main process and its children (made before they are forked)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = multiprocessing.Value("d", 0.0, lock=False)
        self._parent = os.getpid()

    def begin(self) -> None:
        """Start the clock. The first call counts: a signal may come to parent and children alike."""
        if not self._until.value:
            self._until.value = time.monotonic() + self._seconds

    @property
    def begun(self) -> bool:
        return bool(self._until.value)

    def over(self) -> bool:
        return self.begun and time.monotonic() >= self._until.value

    def end_idle_process(self, *, busy: bool) -> None:
        """End a child that nobody needs any more: its parent is gone, or did not collect it in time."""
        if os.getpid() == self._parent or busy:
            return
        if os.getppid() != self._parent or (self.begun and time.monotonic() > self._until.value + self._seconds):
            os.kill(os.getpid(), signal.SIGKILL)
