"""Streams over HTTP that are cut all the time, also because the process that serves them is killed."""

from __future__ import annotations

from pathlib import Path

from deploy.local.stack import Stack
from tests.faults.conftest import SETTINGS
from tests.faults.cuts import READERS, cut_streams

CUTS = 20 * READERS  # `make faults` has 1,000


def test_streams_that_are_cut_all_the_time_lose_and_repeat_nothing(tmp_path: Path) -> None:
    stack = Stack(tmp_path, SETTINGS | {"WEB_CONCURRENCY": "2"}, only=("web", "worker-io"))
    try:
        stack.start()
        found = cut_streams(stack, CUTS, every=0.8)  # they take two seconds at the least
    finally:
        stack.kill()
    print(found)
    assert found.wrong == []
    assert found.cuts >= CUTS
    assert found.killed >= 1
