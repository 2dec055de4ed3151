"""What happens when a server starts."""

from __future__ import annotations

import pytest
from flask import Flask

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue
from webapp import lifecycle
from webapp.factory import create_app
from webapp.settings import WebSettings


def app_with(catalogue: Catalogue, key: str) -> Flask:
    return create_app(WebSettings(api_key=Secret(key)), EngineSettings(), catalogue=catalogue)


def test_a_static_key_is_enough_to_start(catalogue: Catalogue) -> None:
    lifecycle.refuse_without_key(app_with(catalogue, "a key"))


def test_with_no_key_at_all_it_refuses_and_says_how_to_make_one(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.auth.keys.KeyStore.any", lambda store: False)
    with pytest.raises(SystemExit, match="flask keys create --name me") as refused:
        lifecycle.refuse_without_key(app_with(catalogue, ""))
    assert "API_KEY=" in str(refused.value)
