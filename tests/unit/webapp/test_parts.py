"""What is switched off by a setting has no routes, is in no document, and is not loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Builds the application as the web server does, and tells what it serves and what it has loaded.
PROGRAM = """
import json, sys
from webapp.wsgi import app
rules = sorted(str(rule) for rule in app.url_map.iter_rules())
paths = sorted(app.test_client().get("/openapi.json").json["paths"])
json.dump({"rules": rules, "paths": paths, "modules": sorted(sys.modules)}, sys.stdout)
"""

# A setting with its values for off and on, the routes that go with it, and the modules.
PARTS = {
    "openai": (
        "SERVE_OPENAI",
        "false",
        "true",
        ("/v1/chat/", "/v1/models"),
        ("webapp.api.openai", "webapp.schemas.openai"),
    ),
    "webhooks": ("WEBHOOK_SECRET", "", "a long random text", ("/v1/webhooks",), ("webapp.api.webhooks",)),
    "playground": ("PLAYGROUND", "false", "true", ("/playground",), ("webapp.playground",)),
    "pipelines": ("SERVE_PIPELINES", "false", "true", ("/v1/api/", "/v2"), ("webapp.api.pipelines",)),
}


def web(**settings: str) -> dict[str, list[str]]:
    environ = {"API_KEY": "a key", "REDIS_URL": "redis://127.0.0.1:9/0", "PATH": ""} | settings
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def everything() -> dict[str, list[str]]:
    return web(**{setting: on for setting, _, on, _, _ in PARTS.values()})


@pytest.fixture(scope="module")
def nothing() -> dict[str, list[str]]:
    return web(**{setting: off for setting, off, _, _, _ in PARTS.values()})


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_on_is_served(everything: dict[str, list[str]], part: str) -> None:
    _, _, _, routes, modules = PARTS[part]
    for route in routes:
        assert any(rule.startswith(route) for rule in everything["rules"])
        # What is a page for people stands in no document.
        assert any(path.startswith(route) for path in everything["paths"]) is (part != "playground")
    assert set(modules) <= set(everything["modules"])


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_off_is_nowhere(nothing: dict[str, list[str]], part: str) -> None:
    _, _, _, routes, modules = PARTS[part]
    assert [rule for rule in (*nothing["rules"], *nothing["paths"]) if rule.startswith(routes)] == []
    assert [name for name in nothing["modules"] if name.startswith(modules)] == []


def test_the_rest_is_as_it_was(nothing: dict[str, list[str]], everything: dict[str, list[str]]) -> None:
    routes = tuple(route for _, _, _, each, _ in PARTS.values() for route in each)
    assert set(everything["rules"]) - set(nothing["rules"]) == {
        rule for rule in everything["rules"] if rule.startswith(routes) or "/webhook/" in rule
    }
