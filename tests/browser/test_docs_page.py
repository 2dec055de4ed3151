"""The page of the API's reference in a real browser."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, expect

from deploy.local.stack import Stack
from tests.support.chromium import watched
from tests.support.playground import PATIENCE_MS

# What is below the screen is drawn when it is reached, so the screen is as high as the page.
WHOLE = {"width": 1280, "height": 15_000}


def test_it_shows_the_operations_and_calls_the_service(browser: Browser, stack: Stack) -> None:
    with watched(browser, stack.url, viewport=WHOLE) as (page, _):
        page.goto(f"{stack.url}/docs")
        expect(page.locator(".opblock").first).to_be_visible(timeout=PATIENCE_MS)
        opened = page.locator("#operations-system-hello")
        expect(opened).to_be_visible(timeout=PATIENCE_MS)
        opened.locator(".opblock-summary-control").click()
        opened.get_by_role("button", name="Try it out").click()
        opened.get_by_role("button", name="Execute").click()
        answer = opened.locator(".live-responses-table .response-col_description pre").first
        expect(answer).to_contain_text("Hello World!", timeout=PATIENCE_MS)
        assert json.loads(answer.inner_text())["links"]
