"""Who may call pipelines, and in which words they are told that they may not."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tasks.pipelines.description import SHARED, Deployment, Step, Tensor
from tests.support.issuer import AUDIENCE, Issuer, issuer
from tests.support.service import Service, completed, failed, serve
from webapp.services import services_of

LIST, INFER = "/v1/api/workspaces/list", "/v1/api/pipelines/infer"
ANSWER = {"media_type": "application/json", "body": "[]", "artifact": ""}


@pytest.fixture
def idp() -> Iterator[Issuer]:
    with issuer() as running:
        yield running


@pytest.fixture
def service(valkey_url: str, tmp_path: Path, idp: Issuer) -> Iterator[Service]:
    settings = {"oidc_issuer": idp.url, "oidc_audience": (AUDIENCE,), "external_inference": True}
    with serve(valkey_url, tmp_path, **settings) as found:
        yield found


def deployed(service: Service, owner: str, name: str = "sums") -> str:
    registry = services_of(service.app).registry
    workspace = registry.create_workspace(name, owner)
    tensor = Tensor("tensor", "float", (None, 1))
    model = registry.add_model(workspace, "model", ("0" * 64, "model.onnx", 1), ((tensor,), (tensor,)))
    pipeline, variant = registry.add_variant(name, workspace, {})
    steps = (Step(model),)
    registry.deploy(Deployment(pipeline.id, name, name, workspace.id, owner, variant.id, variant.version, steps))
    return f"{name}-{pipeline.id}"


def post(client: FlaskClient, path: str, token: str | None = None, body: Any = None) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.post(path, json={} if body is None else body, headers=headers)


def forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"") -> str:
    signed = b".".join(encoded(json.dumps(each).encode()) for each in (header | {"typ": "at+jwt"}, claims))
    signature = hmac.digest(secret, signed, "sha256") if secret else b""
    return b".".join((signed, encoded(signature))).decode()


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def bad_tokens(idp: Issuer) -> dict[str, str]:
    return {
        "no token at all": "abc",
        "expired": idp.token(exp=int(time.time()) - 3600),
        "for another audience": idp.token(aud="https://other.example"),
        "alg none": forged({"alg": "none"}, idp.claims()),
        "HS256 with the public key": forged(
            {"alg": "HS256", "kid": "rsa-1"}, idp.claims(), idp.keys["rsa-1"].as_pem(private=False)
        ),
    }


@pytest.mark.parametrize("path", [LIST, f"{INFER}/sums-1", "/v1/api/status/get_deployment"])
def test_without_a_token_it_is_said_in_plain_text(service: Service, path: str) -> None:
    answer = post(service.app.test_client(), path)
    assert (answer.status_code, answer.get_data(as_text=True), answer.mimetype) == (401, "Jwt is missing", "text/plain")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_is_not_valid_is_refused_in_the_shape_of_the_call(service: Service, idp: Issuer) -> None:
    client, told = service.app.test_client(), "This key is not valid."
    for what, token in bad_tokens(idp).items():
        managed, inferred = (
            post(client, LIST, token),
            post(client, f"{INFER}/{deployed(service, 'a', what[:2])}", token),
        )
        assert (managed.status_code, managed.get_json()) == (401, {"msg": told, "code": 401}), what
        shape = {"code": 401, "status": "error", "error": told, "source": "platform"}
        assert (inferred.status_code, inferred.get_json()) == (401, shape), what


def test_the_scopes_of_a_token_say_what_it_may_do(service: Service, idp: Issuer) -> None:
    client, shared = service.app.test_client(), deployed(service, SHARED)
    infers, deploys = idp.token(scope="pipelines:infer"), idp.token(scope="pipelines:deploy")
    with service.worker(lambda _: completed(ANSWER)):
        assert post(client, f"{INFER}/{shared}", infers).status_code == 200
    assert post(client, f"{INFER}/{shared}", deploys).status_code == 403
    name = {"workspace_name": "mine"}
    assert post(client, "/v1/api/workspaces/create", infers, name).get_json()["code"] == 403
    made = post(client, "/v1/api/workspaces/create", deploys, name)
    assert made.status_code == 200
    again = post(client, "/v1/api/workspaces/create", deploys, name)
    assert (again.status_code, again.get_json()["msg"]) == (400, "There is a workspace mine already.")


def test_everybody_sees_what_is_shared_and_nobody_changes_it(service: Service, idp: Issuer) -> None:
    client, shared = service.app.test_client(), deployed(service, SHARED)
    own = deployed(service, "oidc:alice", "alices")
    alice, bob = (idp.token(sub=each, scope="pipelines:infer pipelines:deploy") for each in ("alice", "bob"))
    seen = [{each["name"] for each in post(client, LIST, token).get_json()["workspaces"]} for token in (alice, bob)]
    assert seen == [{"sums", "alices"}, {"sums"}]
    number = int(shared.rpartition("-")[2])
    for token in (alice, bob):
        ended = post(client, "/v1/api/pipelines/undeploy", token, {"pipeline_id": number, "deployment_id": number})
        assert (ended.status_code, ended.get_json()["msg"]) == (400, "There is no such pipeline.")
    for name, statuses in ((shared, [200, 200]), (own, [200, 404])):
        with service.worker(lambda _: completed(ANSWER)):
            answers = [post(client, f"{INFER}/{name}", token) for token in (alice, bob)]
        assert [each.status_code for each in answers] == statuses


def test_from_outside_nothing_is_run_before_it_is_switched_on(valkey_url: str, tmp_path: Path) -> None:
    with serve(valkey_url, tmp_path) as service:
        name = deployed(service, SHARED)
        answer = post(service.client(), f"{INFER}/{name}")
        assert (answer.status_code, answer.get_json()["error"]) == (404, "Deployment not found")
        workspace = post(service.client(), LIST).get_json()["workspaces"][0]["id"]
        for kind, told in (("external", "not reached from outside"), ("internal", "no internal port")):
            asked = {"workspace_id": workspace, "pipeline_name": "sums"}
            refused = post(service.client(), f"/v1/api/admin/get_pipeline_{kind}_url", body=asked)
            assert refused.status_code == 400
            assert told in refused.get_json()["msg"]


@pytest.mark.parametrize("code", ["invalid_input", "model_failed", "worker_lost"])
def test_a_job_that_failed_is_told_as_the_engines(service: Service, code: str) -> None:
    name = deployed(service, SHARED)
    with service.worker(lambda _: failed(code, "It is so.")):
        answer = post(service.client(), f"{INFER}/{name}")
    status = 400 if code == "invalid_input" else 500
    assert answer.status_code == status
    assert answer.get_json() == {"code": status, "status": "error", "error": "It is so.", "source": "engine"}
    assert answer.headers["Location"].endswith(answer.headers["X-Job-ID"])


def test_a_job_that_takes_longer_is_told_where_it_goes_on(valkey_url: str, tmp_path: Path) -> None:
    with serve(valkey_url, tmp_path, external_inference=True, sync_budget=0.1) as service:
        answer = post(service.client(), f"{INFER}/{deployed(service, SHARED)}")
        assert (answer.status_code, answer.get_json()["source"]) == (504, "platform")
        job = service.engine.get(answer.headers["X-Job-ID"])
        assert job is not None
        assert answer.headers["Location"] == f"/v1/jobs/{job.id}"


def test_a_full_queue_says_when_to_come_back(valkey_url: str, tmp_path: Path) -> None:
    with serve(valkey_url, tmp_path, external_inference=True, sync_budget=0.05, max_waiting=1) as service:
        name = deployed(service, SHARED)
        assert post(service.client(), f"{INFER}/{name}").status_code == 504
        full = post(service.client(), f"{INFER}/{name}")
        assert (full.status_code, full.get_json()["code"]) == (429, 429)
        assert int(full.headers["Retry-After"]) > 0
