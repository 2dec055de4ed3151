"""Threads of the operating system, also in a process that gevent has patched."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


def start_os_thread(name: str, run: Callable[[], None]) -> None:
    """Run `run` in a real thread.

    Under gevent `threading.Thread` is a greenlet, and a greenlet stands still while another one computes: leases
    would run out under CPU-bound code. A real thread gets its turn from the interpreter every few milliseconds.
    What it uses (connections above all) must be its own.
    """
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        from gevent import get_hub  # noqa: PLC0415 - only under gevent

        # The first of a process loads what all of them use. New threads that do so at the same time wait for the locks
        # of each other's imports, for ever (measured: 5 of 6 times with three of them).
        get_hub()
        monkey.get_original("_thread", "start_new_thread")(_run_with_loop, (run,))
    else:
        threading.Thread(target=run, name=name, daemon=True).start()


def _run_with_loop(run: Callable[[], None]) -> None:
    """Give the thread an event loop that never runs dry.

    Where it waits for a lock that another thread holds (a log handler's, an import's), gevent would otherwise
    find nothing left to wait for and raise `LoopExit`.
    """
    from gevent import get_hub  # noqa: PLC0415 - the hub of this thread, only under gevent

    tick = get_hub().loop.timer(3600, 3600)
    tick.start(lambda: None)
    run()
