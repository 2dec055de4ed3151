"""One stack a folder: two would write the same files."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.processes import StackError

# Seconds that one may take to go away that was told to stop: with nothing to drain it takes about five.
PATIENCE = 10.0


@contextmanager
def claim(directory: Path) -> Iterator[None]:
    """Have `directory` alone. Raises StackError, naming the process, when another one has it.

    The lock goes with its process however that ends, so that nothing stale can be left behind.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+") as lock:
        deadline = time.monotonic() + PATIENCE
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                lock.seek(0)
                raise StackError(f"Another stack runs in {directory} (process {lock.read() or 'unknown'}).")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
