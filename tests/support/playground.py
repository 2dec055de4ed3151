"""The playground as somebody uses it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from deploy.local.stack import Stack

PATIENCE_MS = 30_000


class Playground:
    """One open page."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.stack = stack
        self.key_dialog = page.get_by_role("dialog", name="API key")
        self.agent = page.get_by_label("Agent", exact=True)
        self.submit = page.get_by_role("button", name="Run", exact=True)
        self.cancel = page.locator("#cancel")
        self.state = page.locator("#state")
        self.output = page.locator("#output")

    def open(self) -> None:
        self.page.goto(f"{self.stack.url}/playground")

    def give_key(self, key: str) -> None:
        self.page.get_by_label("Key", exact=True).fill(key)
        self.page.keyboard.press("Enter")

    def enter(self) -> None:
        self.open()
        self.give_key(self.stack.api_key)
        expect(self.agent).to_be_enabled(timeout=PATIENCE_MS)

    def fill(self, agent: str, **values: Any) -> None:
        self.agent.select_option(agent)
        for name, value in values.items():
            self.page.locator(f"[name={name}]").fill(str(value))

    def run(self, agent: str, **values: Any) -> None:
        self.fill(agent, **values)
        self.submit.click()

    def wait_for(self, state: str) -> None:
        expect(self.state).to_have_text(state, timeout=PATIENCE_MS)

    @property
    def text(self) -> str:
        return self.output.inner_text()

    @property
    def job_id(self) -> str:
        found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", self.page.locator("#facts").inner_text())
        assert found
        return found[0]
