"""Agents that harm their worker."""

from __future__ import annotations

import os
import signal
from typing import Annotated

from tasks.sdk import Context, Param, agent


@agent(queue="io", timeout=30)
def kill_io_worker(context: Context) -> str:
    """Take the whole worker along, with every job that it runs."""
    os.kill(os.getpid(), signal.SIGKILL)
    return "unreachable"


@agent(queue="cpu", timeout=30)
def kill_cpu_worker() -> str:
    """Take the worker and its children along, as a container that runs out of memory does."""
    os.killpg(os.getpgid(0), signal.SIGKILL)
    return "unreachable"


@agent(queue="cpu", timeout=30)
def eat_memory(megabytes: Annotated[int, Param("How much", ge=1)]) -> str:
    """Take more memory than there is."""
    return str(len(bytearray(megabytes * 1024 * 1024)))
