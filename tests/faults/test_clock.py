"""A worker whose clock is wrong by an hour: leases are by Redis' clock, so it takes nobody's job away."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.support.client import Client, engine_of
from tests.support.programs import missing

LIBRARY = "libfaketime.so.1"
FOLDERS = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")


@pytest.fixture(scope="module")
def library() -> str:
    """Debian's package is `libfaketime`."""
    found = [folder for folder in FOLDERS if (Path(folder) / LIBRARY).exists()]
    if not found:
        missing("libfaketime")  # nothing else shifts the clock of one process
    return f"{found[0]}/{LIBRARY}"


@pytest.mark.parametrize("shift", ["+1h", "-1h"])
def test_a_worker_in_another_hour_takes_nothing_away(own_stack: Stack, library: str, shift: str) -> None:
    client, engine = Client(own_stack), engine_of(own_stack)
    own_stack.lose("worker-cpu")  # its keeper must not be the one that has the lock
    before = client.submit("count", to=250, pause=0.06)  # longer than a lease
    client.wait_for(before, "running")
    for number in (1, 2):
        own_stack.spawn(
            "worker-cpu",
            as_name=f"shifted-{number}",
            LD_PRELOAD=library,
            FAKETIME=shift,
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )
    own_stack.wait_until_ready()
    engine.redis.delete(engine.keys.keeper)  # two of three times a shifted one takes the lock now
    there = client.wait_for(client.submit("compute", seconds=3))
    assert (there["status"], there["attempts"]) == ("completed", 1)
    job = client.wait_for(before)
    assert (job["status"], job["attempts"]) == ("completed", 1)
