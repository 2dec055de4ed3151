"""Web processes that die and are replaced."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import requests

from deploy.local.stack import Stack


def kill_web(stack: Stack) -> None:
    """Kill the processes that serve, and wait until their master has replaced them."""
    master = stack.processes["web"].pid
    served = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    assert served
    for child in served:
        assert b"gunicorn" in Path(f"/proc/{child}/cmdline").read_bytes()
        os.kill(int(child), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(f"{stack.url}/livez", timeout=2)
            return
        except requests.RequestException:
            assert time.monotonic() < deadline
            time.sleep(0.1)
