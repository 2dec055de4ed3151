"""Check what the decorator was told."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from tasks.sdk.answers import is_async
from tasks.sdk.declaration import Declaration
from tasks.sdk.faults import FaultLog
from tasks.sdk.generation import Usage
from tasks.sdk.returns import Returns
from tasks.sdk.setups import is_setup

# The name is a part of the URL and of keys in Redis.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def check_options(declared: Declaration, log: FaultLog) -> None:
    """Note what is wrong with the name, the time limit, the setup function and the retries."""
    if not isinstance(declared.name, str) or not _NAME.fullmatch(declared.name):
        log.note(
            "has a bad name", 'use at most 63 of a-z, 0-9 and _, and begin with a letter, as @agent(name="summarise")'
        )
    if declared.hides:
        log.note(
            f"takes the place of the agent at {declared.hides}", "write one function, with a name of its own, for each"
        )
    if not _is_number(declared.timeout) or not 0 < declared.timeout < math.inf:
        log.note(f"has the timeout {declared.timeout!r}", "give it seconds above 0, as timeout=60")
    if declared.setup is not None and not is_setup(declared.setup):
        log.note(
            "has a setup that cannot be called", "give a plain function with no parameter, or with `settings` alone"
        )
    if declared.together is not None and not callable(declared.together):
        log.note("has a together that cannot be called", "give a function that takes the arguments of several jobs")
    if not _are_exceptions(declared.retry_on):
        log.note(f"has retry_on={declared.retry_on!r}", "give a tuple of exceptions, as retry_on=(TimeoutError,)")


def check_queue(declared: Declaration, function: Callable[..., Any], queues: Mapping[str, str], log: FaultLog) -> None:
    """Note a queue that nobody serves, or whose pool cannot run the function."""
    pool = queues.get(declared.queue) if isinstance(declared.queue, str) else None
    if pool is None:
        known = ", ".join(f"{name} ({kind})" for name, kind in queues.items()) or "none"
        log.note(
            f"names the queue {declared.queue!r}, which nobody serves; known are: {known}",
            f"use one of them, or add {declared.queue}:prefork to QUEUES and one line for its worker to the Procfile",
        )
    elif pool == "gevent" and is_async(function):
        prefork = [name for name, kind in queues.items() if kind == "prefork"]
        choice = f'queue="{prefork[0]}"' if prefork else "a queue with a prefork pool"
        log.note(
            f"is an `async def`, which the gevent pool of the queue {declared.queue!r} cannot run",
            f"use {choice}, or write a plain def: on gevent hundreds of those wait at once anyway",
        )


def check_cost(declared: Declaration, returns: Returns | None, log: FaultLog) -> None:
    """Note a cost that cannot be charged."""
    cost = declared.cost
    if callable(cost):
        if returns and returns.streams:
            log.note("has a cost from usage, but streams: the price is sent before it is known", "give a fixed cost")
        elif not _takes_usage(cost):
            log.note("has a cost that cannot be called with the usage", "give a function of one Usage, or a number")
    elif cost is not None and (isinstance(cost, bool) or not isinstance(cost, int) or cost < 0):
        log.note(f"has the cost {cost!r}", "give whole credits, 0 or more, or a function of the Usage")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_exceptions(retry_on: Any) -> bool:
    return isinstance(retry_on, tuple | list) and all(
        isinstance(each, type) and issubclass(each, Exception) for each in retry_on
    )


def _takes_usage(cost: Callable[..., Any]) -> bool:
    try:
        inspect.signature(cost).bind(Usage())
    except (TypeError, ValueError):
        return False
    return not is_async(cost)
