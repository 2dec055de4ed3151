"""Every process that a command has started, found by a mark in its environment."""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path

import pytest

MARK = "TEST_FAMILY"


class Family:
    """Put `mark` into a command's environment, and its descendants are known however they were started."""

    def __init__(self) -> None:
        if sys.platform != "linux":
            pytest.skip("needs /proc")
        self.mark = {MARK: str(uuid.uuid4())}

    def alive(self) -> dict[int, str]:
        """The command lines of those that run, by process id."""
        wanted = f"{MARK}={self.mark[MARK]}".encode()
        return {
            int(each.name): _read(each / "cmdline").replace(b"\0", b" ").decode()
            for each in Path("/proc").iterdir()
            if each.name.isdigit() and wanted in _read(each / "environ").split(b"\0")
        }

    def wait_until_gone(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while alive := self.alive():
            assert time.monotonic() < deadline, f"still running: {alive}"
            time.sleep(0.1)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended, or is somebody else's
        return b""
