"""Locks of the system, also in a process that gevent has patched.

Threads of the system cannot share gevent's locks with greenlets, in effect: who waits for one is not always woken. 3
threads and 10 greenlets that counted stood still for minutes, 3 and 5 that logged for good. Nobody may wait for
anything while holding one of these, so that no other greenlet of the thread comes by.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any


def plain() -> Any:
    """A lock."""
    return _original("allocate_lock", threading.Lock)()


def reentrant() -> Any:
    """A lock that a thread may take again."""
    return _original("RLock", threading.RLock)()


def _original(name: str, otherwise: Callable[[], Any]) -> Callable[[], Any]:
    monkey = sys.modules.get("gevent.monkey")
    return otherwise if monkey is None else monkey.get_original("_thread", name)
