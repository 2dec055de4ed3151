"""Access tokens of a real issuer, and everything that is none."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc import jwk

from deploy.local.stack import Stack
from tests.support.issuer import AUDIENCE, Issuer, issuer
from tests.support.service import Service, serve
from webapp.auth import jwks
from webapp.auth.issuer import KeysUnavailable
from webapp.auth.jwks import FetchError, KeySource
from webapp.services import services_of

# Tokens are made relative to it when their tests are collected; all that differ by less are made in the tests.


@pytest.fixture
def idp() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture
def service(valkey_url: str, tmp_path: Path, idp: Issuer) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, oidc_issuer=idp.url, oidc_audience=(AUDIENCE,)) as found:
        yield found


def ask(service: Service, token: str, path: str = "/v1/agents") -> Any:
    return service.app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})


def status(service: Service, token: str) -> int:
    return int(ask(service, token).status_code)


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("kid", ["rsa-1", "ec-1"])
def test_a_token_of_the_issuer_opens_the_door(service: Service, idp: Issuer, kid: str) -> None:
    assert status(service, idp.token(kid)) == 200


def test_the_subject_owns_and_the_scopes_allow(service: Service, idp: Issuer) -> None:
    headers = {"Authorization": f"Bearer {idp.token(sub='auth0|a:b')}", "Prefer": "respond-async"}
    made = service.app.test_client().post("/v1/agents/ai_service/run", json={"param1": "a"}, headers=headers)
    assert made.status_code == 202
    job = service.engine.get(made.get_json()["id"])
    assert job is not None
    assert job.owner == "oidc:auth0%7Ca%3Ab"
    assert ask(service, idp.token(sub="mallory"), made.headers["Location"]).status_code == 404
    reader = {"Authorization": f"Bearer {idp.token(scope='read unknown')}"}
    assert service.app.test_client().get("/v1/agents", headers=reader).status_code == 200
    assert service.app.test_client().post("/ai_service", json={"param1": "a"}, headers=reader).status_code == 403


@pytest.mark.parametrize(
    ("claim", "value"),
    [("scp", ["read"]), ("realm_access.roles", None), ("https://claims.example/scopes", "read")],
)
def test_scopes_come_from_the_claim_that_is_set(
    valkey_url: str, tmp_path: Path, idp: Issuer, claim: str, value: Any
) -> None:
    claims = {"realm_access": {"roles": ["read"]}} if value is None else {claim: value}
    settings = {"oidc_issuer": idp.url, "oidc_audience": (AUDIENCE,), "oidc_scope_claim": claim}
    with serve(valkey_url, tmp_path, **settings) as service:
        assert status(service, idp.token(scope=None, **claims)) == 200
        assert status(service, idp.token(scope="read")) == 403


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", ""])
def test_a_token_without_a_signature_is_refused(service: Service, idp: Issuer, alg: str) -> None:
    for signature in (b"", b"x"):
        header = {"alg": alg, "typ": "at+jwt", "kid": "rsa-1"}
        assert status(service, forged(header, idp.claims(), signature)) == 401


@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_the_public_key_is_no_secret_to_sign_with(service: Service, idp: Issuer, form: str) -> None:
    import hashlib
    import hmac

    key = idp.keys["rsa-1"]
    secret = key.as_pem(private=False) if form == "pem" else json.dumps(key.as_dict(private=False)).encode()
    unsigned = forged({"alg": "HS256", "typ": "at+jwt", "kid": "rsa-1"}, idp.claims()).rsplit(".", 1)[0]
    signature = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
    assert status(service, f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}") == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://other.example"},
        {"aud": ["https://other.example"]},
        {"aud": None},
        {"iss": "https://other.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 256},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"nonce": "of an id token"},
        {"typ": "ID"},
    ],
    ids=str,
)
def test_a_token_for_another_place_or_time_is_refused(service: Service, idp: Issuer, wrong: dict[str, Any]) -> None:
    assert status(service, idp.token(**wrong)) == 401


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -31), ("iat", 40), ("nbf", 40)])
def test_a_token_that_is_over_or_has_not_begun_is_refused(
    service: Service, idp: Issuer, claim: str, seconds: int
) -> None:
    # Of this moment, not of the one when tests were collected: a whole run takes longer than what is allowed.
    wrong: dict[str, Any] = {claim: int(time.time()) + seconds}
    assert status(service, idp.token(**wrong)) == 401


def test_clocks_may_differ_a_little(service: Service, idp: Issuer) -> None:
    now = int(time.time())
    assert status(service, idp.token(exp=now - 15, nbf=now + 15, iat=now + 15)) == 200


@pytest.mark.parametrize("typ", ["JWT", "", None, "id+jwt", "logout+jwt"])
def test_a_token_of_another_type_is_refused(service: Service, idp: Issuer, typ: str | None) -> None:
    assert status(service, idp.token(header={"typ": typ})) == 401


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt"])
def test_the_type_may_be_spelled_out(service: Service, idp: Issuer, typ: str) -> None:
    assert status(service, idp.token(header={"typ": typ})) == 200


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "crit"])
def test_a_token_cannot_bring_its_own_key(service: Service, idp: Issuer, name: str) -> None:
    own = jwk.RSAKey.generate_key(2048, {"kid": "rsa-1"})
    value: Any = {
        "jku": f"{idp.url}/mine",
        "x5u": f"{idp.url}/mine",
        "jwk": own.as_dict(private=False),
        "crit": ["exp"],
    }[name]
    honest = forged({"alg": "RS256", "typ": "at+jwt", "kid": "rsa-1", name: value}, idp.claims(), b"signature")
    assert status(service, honest) == 401
    idp.keys["rsa-1"], kept = own, idp.keys["rsa-1"]
    mine = idp.token(header=None if name == "crit" else {name: value})
    idp.keys["rsa-1"] = kept
    assert status(service, mine) == 401
    assert not any("mine" in path for path in idp.asked)


@pytest.mark.parametrize("kid", ["../../etc/passwd", "x' OR '1'='1", "", "k" * 3000, None])
def test_a_strange_kid_is_only_an_unknown_one(service: Service, idp: Issuer, kid: str | None) -> None:
    assert status(service, idp.token(header={"kid": kid})) == 401


def test_a_key_verifies_only_its_own_kind_of_signature(service: Service, idp: Issuer) -> None:
    assert status(service, idp.token("rsa-1", header={"kid": "ec-1"})) == 401
    assert status(service, idp.token("rsa-1", "RS512")) == 401


@pytest.mark.parametrize(
    "token",
    ["a.b.c", "..", "e30.e30.", "e30.e30.e30", "." * 2 + "é", "=.=.=", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10"],
)
def test_what_only_looks_like_a_token_is_refused(service: Service, token: str) -> None:
    assert status(service, token) == 401


def test_a_header_that_nests_without_end_is_refused(service: Service) -> None:
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5000).decode().rstrip("=")
    assert status(service, f"{deep}.e30.e30") == 401


def test_every_refusal_reads_the_same(service: Service, idp: Issuer) -> None:
    tokens = (
        idp.token(exp=int(time.time()) - 60),
        idp.token(aud="other"),
        idp.token(header={"kid": "x"}),
        "a.b.c",
        "nothing",
    )
    documents = [ask(service, token).get_json() for token in tokens]
    assert len({(each["detail"], each["code"]) for each in documents}) == 1


def test_a_new_key_is_fetched_when_a_token_names_it(
    service: Service, idp: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert status(service, idp.token()) == 200
    idp.add("rsa-2", "RS256")
    assert status(service, idp.token("rsa-2")) == 401  # asked a moment ago
    monkeypatch.setattr(jwks, "REFETCH_SECONDS", 0.0)
    assert status(service, idp.token("rsa-2")) == 200


def test_a_thousand_unknown_keys_cost_the_issuer_one_request(service: Service, idp: Issuer) -> None:
    assert status(service, idp.token()) == 200
    token = idp.token()
    head, rest = token.split(".", 1)
    keys = services_of(service.app).tokens
    assert keys is not None
    for number in range(1000):
        header = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": f"k{number}"}).encode())
        assert keys.principal(f"{header.decode().rstrip('=')}.{rest}") is None
    assert head
    assert idp.asked.count("/jwks") == 1


@pytest.mark.parametrize("mode", ["down", "redirecting", "huge", "silent", "another"])
def test_an_issuer_that_fails_is_503_until_there_are_keys_and_then_no_matter(
    service: Service, idp: Issuer, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    idp.mode = mode
    answer = ask(service, idp.token())
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "issuer_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert idp.url not in answer.text
    assert not any(path.startswith("/moved") for path in idp.asked)
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 0.0)
    idp.mode = ""
    assert status(service, idp.token()) == 200
    idp.mode = mode
    monkeypatch.setattr(jwks, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "REFETCH_SECONDS", 0.0)
    assert status(service, idp.token()) == 200  # with the keys of before
    idp.mode = ""


def test_without_an_issuer_a_token_is_only_an_unknown_key(valkey_url: str, tmp_path: Path, idp: Issuer) -> None:
    with serve(valkey_url, tmp_path) as service:
        assert status(service, idp.token()) == 401
    assert idp.asked == []


def test_keys_serve_for_an_hour_without_the_issuer_and_no_longer() -> None:
    now, down = [0.0], [False]

    def fetch() -> dict[str, Any]:
        if down[0]:
            raise FetchError("refused")
        return {"one": jwk.ECKey.generate_key("P-256", {"kid": "one"})}

    source = KeySource(fetch, clock=lambda: now[0])
    assert source.find("one")
    down[0], now[0] = True, jwks.STALE_SECONDS
    assert source.find("one")
    now[0] += 1
    with pytest.raises(KeysUnavailable):
        source.find("one")


def test_a_silent_issuer_holds_up_nobody_else(tmp_path: Path, idp: Issuer) -> None:
    settings = {"OIDC_ISSUER": idp.url, "OIDC_AUDIENCE": AUDIENCE, "WEB_CONCURRENCY": "1"}
    with Stack(tmp_path, settings, only=("web",)) as stack, ThreadPoolExecutor(20) as pool:
        idp.mode = "silent"
        headers = {"Authorization": f"Bearer {idp.token()}"}
        waiting = [pool.submit(requests.get, f"{stack.url}/v1/agents", headers=headers, timeout=30) for _ in range(20)]
        alive = 0
        while not any(each.done() for each in waiting):
            alive += requests.get(f"{stack.url}/livez", timeout=30).status_code == 200
        # One process serves both; the issuer is given up after two seconds. Held up, it would answer once meanwhile.
        assert alive > 3
        assert {each.result().status_code for each in waiting} == {503}
        assert len(idp.asked) == 1
        idp.mode = ""
        stack.wait_for("the keys", lambda: requests.get(f"{stack.url}/v1/agents", headers=headers, timeout=30).ok, 30)
