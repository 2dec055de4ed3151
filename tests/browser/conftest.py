"""A stack with its playground, and a browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from deploy.local.stack import Stack
from tests.support.chromium import chromium

SETTINGS = {
    "AGENTS": "tasks.agents,tests.support.agents,tests.support.form_agents",
    "PLAYGROUND": "true",
    "WEB_CONCURRENCY": "1",
    "IO_CONCURRENCY": "50",
    "CPU_CONCURRENCY": "1",
}


# Of this folder, and not of the session: Playwright keeps an event loop in its thread, which others would trip over.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack; its web processes may be killed, because they are replaced."""
    with Stack(tmp_path_factory.mktemp("browser"), SETTINGS) as running:
        yield running
