"""A stack with its playground, and a browser in front of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from tests.support.chromium import chromium

SETTINGS = {
    "AGENTS": "tasks.agents,tests.support.agents,tests.support.form_agents",
    "PLAYGROUND": "true",
    "WEB_CONCURRENCY": "1",
    "IO_CONCURRENCY": "50",
    "CPU_CONCURRENCY": "1",
}


CLIENTS = ROOT / "docs" / "clients"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


# Of this folder, and not of the session: Playwright keeps an event loop in its thread, which others would trip over.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def site() -> Iterator[str]:
    """Another origin than the service's, as a page of somebody else has."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(CLIENTS)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="package")
def stack(browser: Browser, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack; its web processes may be killed, because they are replaced."""
    with Stack(tmp_path_factory.mktemp("browser"), SETTINGS | {"CORS_ORIGINS": site}) as running:
        yield running
