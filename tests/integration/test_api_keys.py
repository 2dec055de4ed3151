"""API keys from the command that makes them to the one that revokes them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.service import Service, completed, serve
from webapp import lifecycle
from webapp.auth.verifier import MEMORY_SECONDS
from webapp.services import services_of


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, api_key="") as found:
        yield found


def flask(service: Service, *args: str) -> Result:
    return service.app.test_cli_runner().invoke(args=["keys", *args])


def made(service: Service, name: str = "me") -> dict[str, str]:
    document: dict[str, str] = json.loads(flask(service, "create", "--name", name, "--json").stdout)
    return document


def status(service: Service, key: str) -> int:
    return service.client(key).get("/v1/agents").status_code


def test_a_made_key_opens_the_door_at_once(service: Service) -> None:
    assert status(service, made(service)["key"]) == 200


def test_a_key_is_shown_once_alone_on_standard_output(service: Service) -> None:
    shown = flask(service, "create", "--name", "me")
    assert shown.stdout.startswith("slipway_")
    assert len(shown.stdout.split()) == 1
    assert status(service, shown.stdout.strip()) == 200
    assert shown.stdout.strip() not in flask(service, "list").output


def test_a_key_names_its_prefix_and_id_and_has_a_secret_of_32_bytes(service: Service) -> None:
    document = made(service)
    prefix, key_id, secret = document["key"].split("_")
    assert (prefix, key_id) == ("slipway", document["id"])
    assert len(bytes.fromhex(secret)) == 32


def test_redis_holds_the_hash_and_nothing_that_calls(service: Service) -> None:
    key = made(service)["key"]
    redis: Any = service.engine.redis
    everything = b"".join(b"".join(redis.hgetall(name).values()) for name in redis.scan_iter("*api-key:*"))
    assert hashlib.sha256(key.encode()).hexdigest().encode() in everything
    assert key.split("_")[2].encode() not in everything


def test_keys_are_listed_with_their_names(service: Service) -> None:
    made(service, "first [bold]")
    made(service, "second")
    assert "first [bold]" in flask(service, "list").output
    assert [each["name"] for each in json.loads(flask(service, "list", "--json").stdout)] == ["first [bold]", "second"]


def test_two_keys_are_two_principals(service: Service) -> None:
    assert made(service)["id"] != made(service)["id"]


@pytest.mark.parametrize("change", ["truncated", "longer", "other secret", "other id"])
def test_a_key_that_is_almost_right_is_wrong(service: Service, change: str) -> None:
    key = made(service)["key"]
    prefix, key_id, secret = key.split("_")
    wrong = {
        "truncated": key[:-1],
        "longer": key + "0",
        "other secret": f"{prefix}_{key_id}_{'0' * len(secret)}",
        "other id": f"{prefix}_{'0' * len(key_id)}_{secret}",
    }[change]
    assert status(service, wrong) == 401


def test_a_revoked_key_stops_working_within_five_seconds(service: Service) -> None:
    document = made(service)
    assert status(service, document["key"]) == 200
    assert flask(service, "revoke", document["id"]).exit_code == 0
    revoked = time.monotonic()
    asked = revoked
    while status(service, document["key"]) == 200:
        assert asked < revoked + MEMORY_SECONDS
        time.sleep(0.2)
        asked = time.monotonic()
    assert json.loads(flask(service, "list", "--json").stdout) == []


def test_revoking_what_is_not_there_is_an_error(service: Service) -> None:
    refused = flask(service, "revoke", "0123456789abcdef")
    assert refused.exit_code == 1
    assert "flask keys list" in refused.output


def test_redis_is_asked_once_for_many_requests_with_one_key(service: Service) -> None:
    key = made(service)["key"]
    before = service.engine.redis.info("commandstats").get("cmdstat_hgetall", {"calls": 0})["calls"]
    for _ in range(20):
        assert status(service, key) == 200
    after = service.engine.redis.info("commandstats")["cmdstat_hgetall"]["calls"]
    assert 1 <= after - before <= 2


def test_the_server_refuses_to_start_until_there_is_a_key(service: Service) -> None:
    with pytest.raises(SystemExit, match="flask keys create"):
        lifecycle.refuse_without_key(service.app)
    key_id = made(service)["id"]
    lifecycle.refuse_without_key(service.app)
    services_of(service.app).keys.revoke(key_id)
    with pytest.raises(SystemExit):
        lifecycle.refuse_without_key(service.app)


def test_a_key_does_what_its_scopes_say(service: Service) -> None:
    key = json.loads(flask(service, "create", "--name", "me", "--scope", "read", "--json").stdout)["key"]
    assert status(service, key) == 200
    assert service.client(key).post("/ai_service", json={"param1": "a"}).status_code == 403


def test_an_expired_key_is_refused_like_an_unknown_one(service: Service) -> None:
    key = services_of(service.app).keys.create("me", lifetime=timedelta(seconds=3))[1]
    assert status(service, key) == 200
    time.sleep(3.1)
    assert status(service, key) == 401
    assert json.loads(flask(service, "list", "--json").stdout)[0]["expired"] is True


def test_a_rotated_key_is_the_same_client_and_the_old_one_ends(service: Service) -> None:
    old = made(service)
    new = json.loads(flask(service, "rotate", old["id"], "--overlap", "12h", "--json").stdout)
    assert new["client"] == old["client"] == old["id"] != new["id"]
    assert status(service, old["key"]) == status(service, new["key"]) == 200
    ends = {each["id"]: each["expires_at"] for each in json.loads(flask(service, "list", "--json").stdout)}
    assert ends[new["id"]] is None
    assert timedelta(hours=11) < datetime.fromisoformat(ends[old["id"]]) - datetime.now(UTC) <= timedelta(hours=12)


def test_both_keys_of_a_rotation_own_the_same_jobs(service: Service) -> None:
    old = made(service)
    new = json.loads(flask(service, "rotate", old["id"], "--json").stdout)
    asked = service.client(old["key"]).post(
        "/v1/agents/ai_service/run", json={"param1": "a"}, headers={"Prefer": "respond-async"}
    )
    assert service.client(new["key"]).get(asked.headers["Location"]).status_code == 200


def test_a_client_has_two_live_keys_at_most(service: Service) -> None:
    old = made(service)
    new = json.loads(flask(service, "rotate", old["id"], "--json").stdout)
    refused = flask(service, "rotate", new["id"])
    assert refused.exit_code == 1
    assert "2 live keys already" in refused.output
    flask(service, "revoke", old["id"])
    assert flask(service, "rotate", new["id"]).exit_code == 0


@pytest.mark.parametrize("wrong", [["--expires", "90"], ["--scope", "root"]])
def test_what_cannot_be_meant_is_refused(service: Service, wrong: list[str]) -> None:
    assert flask(service, "create", "--name", "me", *wrong).exit_code == 2


def test_the_last_use_of_a_key_is_listed(service: Service) -> None:
    document = made(service)
    assert json.loads(flask(service, "list", "--json").stdout)[0]["last_used_at"] is None
    assert status(service, document["key"]) == 200
    used = json.loads(flask(service, "list", "--json").stdout)[0]["last_used_at"]
    assert datetime.now(UTC) - datetime.fromisoformat(used) < timedelta(minutes=1)


def test_the_user_of_a_marketplace_is_believed_only_with_its_own_key(valkey_url: str, tmp_path: Path) -> None:
    with serve(valkey_url, tmp_path) as service:
        trusted, stranger = service.client(), service.client(made(service)["key"])
        for client in (trusted, stranger):
            client.environ_base["HTTP_NVM_USER_ID"] = "one"
        owners = []
        for client in (trusted, stranger):
            headers = {"Prefer": "respond-async"}
            client.post("/v1/agents/ai_service/run", json={"param1": "a"}, headers=headers)
        with service.worker(lambda job: completed("done")):
            deadline = time.monotonic() + 10
            while len(service.seen) < 2 and time.monotonic() < deadline:
                time.sleep(0.02)
        owners = sorted(job.owner.split(":")[0] + ":" + job.owner.split(":")[1][:3] for job in service.seen)
        assert owners[1] == "static:one"
        assert owners[0].startswith("key:")
