"""What everybody can read and use: judged by axe, in light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from deploy.local.stack import Stack
from tests.support.chromium import watched
from tests.support.playground import PATIENCE_MS, Playground

SIZES = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
GRAVE = ("serious", "critical")


@pytest.fixture(params=[(scheme, size) for scheme in ("light", "dark") for size in SIZES], ids="-".join)
def playground(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Iterator[Playground]:
    scheme, size = request.param
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": SIZES[size]}
    with watched(browser, stack.url, **options) as (page, _):
        yield Playground(page, stack)


def check(page: Page) -> None:
    """Nothing grave, and nothing beyond the edge of the screen."""
    found = Axe().run(page).response["violations"]
    told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found if each["impact"] in GRAVE]
    assert told == []
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_no_state_of_the_page_has_a_grave_fault(playground: Playground) -> None:
    page = playground.page
    playground.open()
    expect(playground.key_dialog).to_be_visible()
    check(page)
    playground.give_key(playground.stack.api_key)
    expect(playground.agent).to_be_enabled(timeout=PATIENCE_MS)
    playground.fill("every_kind")
    check(page)
    playground.run("count", to=1000, pause=0.02)
    expect(playground.output).to_contain_text("1 2 ", timeout=PATIENCE_MS)
    check(page)
    playground.cancel.click()
    playground.wait_for("canceled")
    playground.run("fail", how="agent_error")
    playground.wait_for("failed")
    check(page)


def test_axe_does_look(browser: Browser, stack: Stack) -> None:
    with watched(browser, stack.url) as (page, _):
        page.goto(f"{stack.url}/playground")
        page.locator("#key").evaluate("e => { e.labels[0].remove() }")
        with pytest.raises(AssertionError, match="label"):
            check(page)
