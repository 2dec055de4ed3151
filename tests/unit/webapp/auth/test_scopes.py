"""Who may do what."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs.environment import load
from webapp.auth import scopes
from webapp.auth.principals import STATIC, on_behalf_of
from webapp.auth.scopes import needed, needs
from webapp.services import services_of
from webapp.settings import WebSettings


def restrict(app: Flask, monkeypatch: pytest.MonkeyPatch, *allowed: str) -> None:
    principal = dataclasses.replace(STATIC, scopes=frozenset(allowed))
    monkeypatch.setattr(services_of(app).verifier, "_static_principal", principal)


def test_reading_is_told_from_running_by_the_method(app: Flask) -> None:
    with app.app_context():
        assert needed("agents.list_agents", "GET") == scopes.READ
        assert needed("agents.run_every_type", "POST") == scopes.RUN
        assert needed("jobs.delete_artifact", "DELETE") == scopes.RUN


def test_asking_the_ai_service_runs_also_with_get(app: Flask) -> None:
    with app.app_context():
        for endpoint in (name for name in app.view_functions if name.startswith("ai_service.")):
            assert needed(endpoint, "GET") == scopes.RUN, endpoint


def test_a_scope_that_does_not_exist_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="there is no scope 'root'"):
        needs("root")
    with pytest.raises(ValueError, match="API_KEY_SCOPES"):
        load(WebSettings, {"API_KEY_SCOPES": "run,root"})


def test_a_key_without_the_scope_is_told_which_one_it_needs(
    app: Flask, client: FlaskClient, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    restrict(app, monkeypatch, scopes.READ)
    assert client.get("/v1/agents", headers=key).status_code == 200
    refused = client.post("/ai_service", json={"param1": "a"}, headers=key)
    assert refused.status_code == 403
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json()["scope"] == "run"
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="run"'


def test_a_scope_allows_what_it_names_and_nothing_else(
    app: Flask, client: FlaskClient, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    restrict(app, monkeypatch, scopes.ADMIN)
    assert client.get("/v1/agents", headers=key).status_code == 403


def test_a_marked_view_needs_its_scope(app: Flask, client: FlaskClient, key: dict[str, str]) -> None:
    @needs(scopes.ADMIN)
    def operate() -> str:
        return "done"

    app.add_url_rule("/operate", "operate", operate)
    assert client.get("/operate", headers=key).status_code == 403


def test_the_key_of_the_environment_does_all_but_administer() -> None:
    assert load(WebSettings, {}).api_key_scopes == ("run", "read", "pipelines:infer", "pipelines:deploy")


def test_users_of_a_marketplace_own_apart_and_cannot_spell_each_other() -> None:
    one, other = on_behalf_of(STATIC, "a"), on_behalf_of(STATIC, "a:jobs /é")
    assert one.id == "static:a"
    assert other.id == "static:a%3Ajobs%20%2F%C3%A9"
    assert one.scopes == STATIC.scopes


@pytest.mark.parametrize("user", ["u" * 257, "a\tb"])
def test_a_user_that_is_no_name_is_refused(client: FlaskClient, key: dict[str, str], user: str) -> None:
    assert client.get("/v1/agents", headers=key | {"NVM-User-id": user}).status_code == 400
