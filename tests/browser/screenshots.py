"""`make screenshots`: the pictures of the playground in docs/images, taken of the real thing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from tests.support.chromium import chromium, watched
from tests.support.painting import wait_until_painted
from tests.support.playground import PATIENCE_MS, Playground

IMAGES = ROOT / "docs" / "images"
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SETTINGS = {"AGENTS": "tasks.agents,tests.support.agents", "PLAYGROUND": "true", "WEB_CONCURRENCY": "1"}
TEXT = (
    "Slipway keeps every job in a record. A worker holds a job under a lease, and a job whose worker is lost runs "
    "again elsewhere. Every event has an id, so that a stream which breaks goes on where it stopped. Whatever a stale "
    "worker still writes is refused. Results can be printed as PDF files."
)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), SETTINGS) as stack, chromium() as browser:
        for scheme in ("light", "dark"):
            with watched(browser, stack.url, color_scheme=scheme, viewport=DESK) as (page, _):
                playground = Playground(page, stack)
                playground.enter()
                show_pdf(playground)
                take(page, f"playground-{scheme}")
            with watched(browser, stack.url, color_scheme=scheme, viewport=PHONE) as (page, _):
                playground = Playground(page, stack)
                playground.enter()
                show_stream(playground)
                take(page, f"playground-phone-{scheme}")


def show_pdf(playground: Playground) -> None:
    for agent in ("ai_service", "ai_service_binary"):
        playground.run(agent, param1=TEXT, param2="What becomes of a lost worker's job?")
        playground.wait_for("completed")
        expect(playground.page.locator("#jobs tr").first).to_contain_text("completed", timeout=PATIENCE_MS)
    wait_until_painted(playground.page.locator("iframe.pdf"))
    playground.page.locator("h1").click()  # takes the focus and the pointer away from the button


def show_stream(playground: Playground) -> None:
    playground.run("count", to=200, pause=0.02)
    expect(playground.output).to_contain_text("79 80 ", timeout=PATIENCE_MS)


def take(page: Page, name: str) -> None:
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"{name}.png: {(IMAGES / f'{name}.png').stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
