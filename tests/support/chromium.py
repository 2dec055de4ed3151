"""A headless Chromium of the system, driven by Playwright, and what its pages may not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.support.programs import find_program

# As root it has no sandbox of its own; the others keep it from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = ("blob", "data", "chrome-extension", "chrome")  # what never leaves the browser
PATIENCE_MS = 30_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, while the block runs."""
    program = find_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page logged as an error, and whom it asked beside its own server."""

    host: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def add(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._see)

    def expect(self, *parts: str) -> None:
        """Take away the errors that a test made on purpose, each of which must be there."""
        for part in parts:
            assert any(part in error for error in self.errors), (part, self.errors)
        self.errors = [error for error in self.errors if not any(part in error for part in parts)]

    def check(self) -> None:
        assert self.errors == []
        assert self.strangers == []

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _see(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in LOCAL and url.netloc != self.host:
            self.strangers.append(request.url)


@contextmanager
def watched(browser: Browser, url: str, **options: Any) -> Iterator[tuple[Page, Watch]]:
    """A page of a context of its own, which has logged no error and asked no other host when the block ends."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page, watch = context.new_page(), Watch(urlsplit(url).netloc)
    watch.add(page)
    yield page, watch
    context.close()
    watch.check()
