"""Run a command that ends when its parent does: `python leash.py <pid of the parent> <command> <argument>…`.

Only Linux can do this. Elsewhere the command simply runs. A program of its own, because code that runs between fork
and exec is not safe once the parent has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # the number of this wish in Linux' prctl


def end_with_parent(parent: int, how: signal.Signals) -> None:
    """Ask the kernel to signal this process when its parent, which has the process id `parent`, is gone."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:
        # It died before the kernel knew.
        os.kill(os.getpid(), how)


if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]), signal.SIGKILL)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command comes from our own process
