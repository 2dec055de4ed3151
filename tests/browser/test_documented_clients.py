"""The clients of docs/clients, while the web process that they talk to is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from playwright.sync_api import Browser, expect

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from tests.support.chromium import PATIENCE_MS
from tests.support.restart import kill_web

CLIENTS = ROOT / "docs" / "clients"
NUMBERS = " ".join(str(number) for number in range(1, 101))
PAYLOAD = json.dumps({"to": 100, "pause": 0.05})


def test_the_python_client_misses_and_repeats_nothing(stack: Stack) -> None:
    command = [sys.executable, str(CLIENTS / "follow.py"), stack.url, "count", PAYLOAD]
    environ = {"API_KEY": stack.api_key, "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as client:
        assert client.stdout is not None
        said = ""
        while not said.endswith("10 "):
            said += client.stdout.read(1)
        kill_web(stack)
        answer, end = (said + client.stdout.read()).strip().split("\n")
        assert client.wait(30) == 0
    assert answer.split() == NUMBERS.split()
    assert end.startswith("completed: ")


def test_the_python_client_says_why_it_was_refused(stack: Stack) -> None:
    command = [sys.executable, str(CLIENTS / "follow.py"), stack.url, "count", PAYLOAD]
    environ = {"API_KEY": "wrong", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 1
    assert "HTTP Error 401" in done.stderr


def test_the_browsers_client_misses_and_repeats_nothing(browser: Browser, stack: Stack, site: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{site}/page.html")
        for name, value in {
            "url": stack.url,
            "key": stack.api_key,
            "agent": "count",
            "payload": PAYLOAD,
        }.items():
            page.locator(f"[name={name}]").fill(value)
        page.get_by_role("button", name="Run").click()
        expect(page.locator("pre")).to_contain_text("9 10 ", timeout=PATIENCE_MS)
        kill_web(stack)
        expect(page.get_by_role("status")).to_have_text("completed", timeout=PATIENCE_MS)
        assert page.locator("pre").inner_text().split() == NUMBERS.split()
        page.locator("[name=key]").fill("wrong")
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("status")).to_have_text("This key is not valid.", timeout=PATIENCE_MS)
