"""Whether a frame of another origin shows anything: its content cannot be asked, but be looked at."""

from __future__ import annotations

import time

from playwright.sync_api import Locator

PAINTED = 12_000  # bytes of PNG; a picture of an empty frame takes 2,000, of a viewer that still loads 7,000
PATIENCE = 30.0


def wait_until_painted(frame: Locator) -> None:
    """Wait until the frame shows something, and goes on showing the same."""
    before, seen, deadline = b"", frame.screenshot(), time.monotonic() + PATIENCE
    while len(seen) < PAINTED or seen != before:
        assert time.monotonic() < deadline, "the frame stays empty"
        before, seen = seen, frame.screenshot()
