"""The playground in a real browser, on the real stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from deploy.local.stack import Stack
from tests.support.chromium import Watch, watched
from tests.support.client import Client
from tests.support.painting import wait_until_painted
from tests.support.playground import PATIENCE_MS, Playground
from tests.support.restart import kill_web

ODD = """It's "here"; $HOME `id` \\ & <b>ü</b>
and 😀."""


@pytest.fixture
def opened(browser: Browser, stack: Stack) -> Iterator[tuple[Playground, Watch]]:
    with watched(browser, stack.url) as (page, watch):
        yield Playground(page, stack), watch


@pytest.fixture
def playground(opened: tuple[Playground, Watch]) -> Playground:
    opened[0].enter()
    return opened[0]


def test_an_agent_is_run_and_its_answer_shown(playground: Playground) -> None:
    playground.run("ai_service", param1="The bridge was opened in 1932. It took eight years to build.")
    playground.wait_for("completed")
    assert "The bridge was opened in 1932." in playground.text
    expect(playground.page.locator("#facts")).to_contain_text("First token")
    first = playground.page.locator("#jobs tr").first
    expect(first).to_contain_text("ai_service")
    expect(first).to_contain_text("completed")
    expect(first).to_contain_text(re.compile(r"\d+ ms|\d+\.\d s"))


def test_tokens_and_progress_are_seen_while_they_come(playground: Playground) -> None:
    playground.run("count", to=60, pause=0.05)
    expect(playground.output).to_have_text(re.compile(r"^1 2 3 "), timeout=PATIENCE_MS)
    assert playground.state.inner_text() == "running"
    early = float(playground.page.locator("#bar").evaluate("bar => bar.value"))
    assert 0 < early < 1
    playground.page.wait_for_function("before => document.getElementById('bar').value > before", arg=early)
    # Words of the state are announced, the tokens are not.
    assert playground.page.locator("#output").evaluate("e => e.closest('[aria-live], [role=status]')") is None
    playground.wait_for("completed")
    assert playground.text.split() == [str(number) for number in range(1, 61)]


def test_a_job_is_canceled(playground: Playground) -> None:
    playground.run("count", to=1000, pause=0.05)
    expect(playground.output).to_contain_text("1 2 ", timeout=PATIENCE_MS)
    playground.cancel.click()
    playground.wait_for("canceled")
    assert Client(playground.stack).job(playground.job_id)["status"] == "canceled"
    expect(playground.cancel).to_be_hidden()


def test_a_pdf_is_shown_in_the_page_and_can_be_downloaded(playground: Playground, tmp_path: Path) -> None:
    playground.run("ai_service_binary", param1="The bridge was opened in 1932.")
    playground.wait_for("completed")
    frame = playground.page.locator("iframe.pdf")
    expect(frame).to_be_visible(timeout=PATIENCE_MS)
    assert (frame.get_attribute("src") or "").startswith("blob:")
    wait_until_painted(frame)
    with playground.page.expect_download() as download:
        playground.page.get_by_role("link", name="Download result.pdf").click()
    download.value.save_as(tmp_path / "result.pdf")
    assert (tmp_path / "result.pdf").read_bytes().startswith(b"%PDF-")


def test_a_stream_goes_on_when_its_web_process_is_killed(opened: tuple[Playground, Watch]) -> None:
    playground, watch = opened
    playground.enter()
    playground.run("count", to=120, pause=0.05)
    expect(playground.output).to_contain_text("9 10 ", timeout=PATIENCE_MS)
    kill_web(playground.stack)
    playground.wait_for("completed")
    # Of the stream, and not of the record: nothing is lost and nothing repeated.
    assert playground.text.split() == [str(number) for number in range(1, 121)]
    watch.expect("net::ERR")


def test_errors_are_shown_where_they_can_be_mended(opened: tuple[Playground, Watch]) -> None:
    playground, watch = opened
    playground.enter()
    playground.run("count", to=2, pause=-1)
    playground.page.locator("form#form").evaluate("form => { form.noValidate = true }")
    playground.submit.click()
    playground.wait_for("refused")
    expect(playground.page.get_by_role("alert")).to_contain_text("validation_failed")
    at = playground.page.locator("[name=pause]")
    expect(at).to_be_focused()
    expect(at).to_have_attribute("aria-invalid", "true")
    expect(at).to_have_accessible_description(re.compile("at least 0"))
    watch.expect("422")
    playground.run("fail", how="agent_error")
    playground.wait_for("failed")
    expect(playground.page.get_by_role("alert")).to_contain_text("The text is in no known language.")


def test_a_wrong_key_is_asked_for_again_and_the_right_one_stays_in_the_tab(opened: tuple[Playground, Watch]) -> None:
    playground, watch = opened
    playground.open()
    playground.give_key("wrong")
    expect(playground.key_dialog.get_by_role("alert")).to_contain_text("This key is not valid.", timeout=PATIENCE_MS)
    watch.expect("401")
    addresses: list[str] = []
    playground.page.on("request", lambda request: addresses.append(request.url))
    playground.give_key(playground.stack.api_key)
    expect(playground.agent).to_be_enabled(timeout=PATIENCE_MS)
    playground.run("echo", text="x")
    playground.wait_for("completed")
    page, key = playground.page, playground.stack.api_key
    assert addresses
    assert not [url for url in (*addresses, page.url) if key in url]
    assert page.evaluate("[localStorage.length, document.cookie, Object.values(sessionStorage)]") == [0, "", [key]]
    assert key not in page.content()


def test_every_kind_of_input_has_a_field(playground: Playground) -> None:
    page = playground.page
    playground.fill("every_kind", words="a\nb", whole=3, lines="1\n2\n")
    page.locator("[name=size]").select_option(label="large")
    page.get_by_label("yes").check()
    page.locator("[name=maybe]").select_option(label="false")
    page.get_by_role("group", name="options").get_by_label("note").fill("short")
    expect(page.get_by_role("group", name="options").get_by_label("depth")).to_have_value("2")
    page.get_by_label("number").press("Enter")  # submits from a field of one line
    playground.wait_for("completed")
    assert playground.text == (
        '{"lines": [1, 2], "maybe": false, "options": {"depth": 2, "note": "short"}, "size": "large", '
        '"whole": 3, "words": "a\\nb", "yes": true}'
    )


def test_files_are_sent_and_a_picture_is_shown(playground: Playground, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("abc")
    playground.fill("every_file", times=2)
    playground.page.locator("[name=first]").set_input_files(tmp_path / "a.txt")
    playground.page.locator("[name=others]").set_input_files([tmp_path / "b.txt", tmp_path / "c.txt"])
    playground.submit.click()
    playground.wait_for("completed")
    assert playground.text == "a.txt: 6, b.txt: 6, c.txt: 6"
    for language in ("curl", "Python"):
        playground.page.get_by_role("tab", name=language).click()
        assert "c.txt: 6" in said(playground, language, tmp_path)
    playground.run("picture")
    playground.page.wait_for_function("() => document.querySelector('img.picture')?.naturalWidth === 40")


@pytest.mark.parametrize("language", ["curl", "Python"])
def test_the_code_that_is_shown_does_the_same(playground: Playground, language: str, tmp_path: Path) -> None:
    playground.fill("echo", text=ODD)
    playground.page.get_by_role("tab", name=language).click()
    assert ODD.splitlines()[1] in said(playground, language, tmp_path)


def said(playground: Playground, language: str, folder: Path) -> str:
    """What the code that is shown prints."""
    code = playground.page.locator("#code").inner_text()
    assert playground.stack.api_key not in code
    command = [sys.executable, "-c", code] if language == "Python" else ["bash", "-c", f"{code} --silent"]
    environ = {"API_KEY": playground.stack.api_key, "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_is_done_with_the_keyboard_alone(playground: Playground) -> None:
    page = playground.page
    page.get_by_role("button", name="API key").press("Enter")
    expect(playground.key_dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(playground.key_dialog).to_be_hidden()
    expect(page.get_by_role("button", name="API key")).to_be_focused()
    page.keyboard.press("Tab")
    expect(playground.agent).to_be_focused()
    playground.agent.select_option("echo")
    page.keyboard.press("Tab")
    expect(page.get_by_label("text", exact=True)).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("typed")
    page.keyboard.press("Control+Enter")
    playground.wait_for("completed")
    assert playground.text == "typed"
    page.keyboard.press("Tab")
    outline = playground.submit.evaluate("e => [e === document.activeElement, getComputedStyle(e).outlineStyle]")
    assert outline == [True, "solid"]


def test_an_earlier_job_is_opened_from_the_list(playground: Playground) -> None:
    playground.run("echo", text="the first")
    playground.wait_for("completed")
    playground.run("echo", text="the second")
    expect(playground.output).to_have_text("the second", timeout=PATIENCE_MS)
    expect(playground.page.locator("#jobs tr").nth(1)).to_contain_text("echo")
    playground.page.locator("#jobs tr").nth(1).get_by_role("button").click()
    expect(playground.output).to_have_text("the first", timeout=PATIENCE_MS)
