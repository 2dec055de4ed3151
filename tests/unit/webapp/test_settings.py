"""The settings of the web side."""

from __future__ import annotations

import pytest

from tasks.jobs.environment import declared, load
from webapp.settings import WebSettings


def test_every_setting_has_a_line_of_documentation_and_a_variable_of_its_own() -> None:
    settings = list(declared(WebSettings))
    assert all(each.doc.endswith(".") for each in settings)
    assert len({each.variable for each in settings}) == len(settings)


def test_the_bearer_token_is_another_name_of_the_static_key() -> None:
    assert load(WebSettings, {"BEARER_TOKEN": "one"}).api_key == "one"
    assert load(WebSettings, {"BEARER_TOKEN": "one", "API_KEY": "two"}).api_key == "two"


def test_the_static_key_is_never_shown() -> None:
    assert "very-secret" not in repr(load(WebSettings, {"API_KEY": "very-secret"}))


@pytest.mark.parametrize("url", ["example.org", "/api", "ftp://example.org", "https://"])
def test_a_base_url_that_clients_could_not_use_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match="PUBLIC_BASE_URL"):
        load(WebSettings, {"PUBLIC_BASE_URL": url})


def test_a_wildcard_is_no_origin() -> None:
    with pytest.raises(ValueError, match="CORS_ORIGINS"):
        load(WebSettings, {"CORS_ORIGINS": "https://a.example,*"})


def test_a_key_prefix_that_would_break_the_key_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="API_KEY_PREFIX"):
        load(WebSettings, {"API_KEY_PREFIX": "my_keys"})
