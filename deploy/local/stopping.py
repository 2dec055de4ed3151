"""Being told to stop: Ctrl-C and SIGTERM, which may come twice (from the terminal, and again from make)."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

from deploy.local.leash import end_with_parent

# Seconds within which a second signal is taken for an echo of the first, and not for impatience.
ECHO = 0.5


class Told:
    """Turns the first signal into KeyboardInterrupt, and a later Ctrl-C into another: stop at once."""

    def __init__(self) -> None:
        self._at = 0.0

    def listen(self) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._hear)
        if "MAKELEVEL" in os.environ:
            # `make` that is killed cannot tell us.
            end_with_parent(os.getppid(), signal.SIGTERM)

    def _hear(self, number: int, _: FrameType | None) -> None:
        impatient = number == signal.SIGINT and time.monotonic() - self._at > ECHO
        if self._at and not impatient:
            return
        self._at = time.monotonic()
        raise KeyboardInterrupt
