"""How long something takes, where a guarantee says so and the machine has other things to do."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 3


def least_seconds(bound: float, do: Callable[[], object]) -> float:
    """The first try that stays below the bound, or the least of three: a busy machine spoils one, a fault each."""
    taken: list[float] = []
    while len(taken) < TRIES and not any(seconds < bound for seconds in taken):
        begun = time.monotonic()
        do()
        taken.append(time.monotonic() - begun)
    return min(taken)
