"""The page is served where it was switched on, and nothing in it comes from elsewhere."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue
from webapp.factory import create_app
from webapp.playground.page import FOLDER
from webapp.settings import WebSettings


@pytest.fixture
def page(catalogue: Catalogue) -> FlaskClient:
    settings = WebSettings(api_key=Secret("key"), playground=True)
    return create_app(settings, EngineSettings(), catalogue=catalogue).test_client()


@pytest.mark.parametrize("path", ["/playground", "/playground/assets/main.js"])
def test_it_is_off_unless_switched_on(client: FlaskClient, page: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert page.get(path).status_code == 200


def test_it_may_load_and_call_this_server_only(page: FlaskClient) -> None:
    policy = page.get("/playground").headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"} <= set(policy)
    assert "unsafe" not in str(policy)
    assert "http" not in str(policy)


def test_all_that_it_names_is_there(page: FlaskClient) -> None:
    html = page.get("/playground").text
    named = re.findall(r'(?:src|href)="([^"#]+)"', html)
    assert len(named) >= 4
    for path in named:
        assert page.get(f"/{path}").status_code == 200, path
    for module in FOLDER.glob("*.js"):
        assert page.get(f"/playground/assets/{module.name}").mimetype == "text/javascript"
        for imported in re.findall(r'from "\./([^"]+)"', module.read_text()):
            assert (FOLDER / imported).is_file()
    assert not re.search(r"<script>|<style|style=|\son\w+=", html)


@pytest.mark.parametrize("name", ["index.html", "..%2fpage.py", "../page.py", "x", "."])
def test_no_other_file_is_served(page: FlaskClient, name: str) -> None:
    assert page.get(f"/playground/assets/{name}").status_code == 404


def test_a_browser_that_has_a_file_is_told_so(page: FlaskClient) -> None:
    first = page.get("/playground/assets/main.js")
    again = page.get("/playground/assets/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
