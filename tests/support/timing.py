"""Waiting for something, and how long it takes, on a machine that has other things to do."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 3
PATIENCE = 30.0  # seconds: no test waits this long unless it fails


def eventually(condition: Callable[[], object]) -> None:
    """Wait for what is to come by itself."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def least_seconds(bound: float, do: Callable[[], object]) -> float:
    """The first try that stays below the bound, or the least of three: a busy machine spoils one, a fault each."""
    taken: list[float] = []
    while len(taken) < TRIES and not any(seconds < bound for seconds in taken):
        begun = time.monotonic()
        do()
        taken.append(time.monotonic() - begun)
    return min(taken)
