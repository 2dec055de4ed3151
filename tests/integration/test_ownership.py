"""Two principals and every route that takes an id: what is one's own is not there for the other.

The table of docs/security-routes.md is written from it when WRITE_DOCS is set, and compared with it otherwise.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tasks.jobs import NewJob, NewTurn
from tasks.pipelines.description import Deployment, Step, Tensor
from tests.support.service import Service, serve
from webapp.auth.guard import PUBLIC
from webapp.services import services_of

PAGE = Path(__file__).parents[2] / "docs" / "security-routes.md"

# Routes whose argument names something that belongs to nobody.
SHARED = {"agents.get_agent", "sockets.chat"}

# Everybody's jobs, for who has the scope `admin`: 403 for all others.
OPERATORS = {"dead_jobs.show", "dead_jobs.retry", "dead_jobs.purge"}

UNKNOWN = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"

HEAD = """\
# Routes that take an id, asked by two principals

<!-- Written by the tests (`WRITE_DOCS=1 pytest tests/integration/test_ownership.py`). Do not edit. -->

`owner` is the status for whom the thing belongs to, `other` for somebody else with a valid key and every usual scope,
`nobody` for somebody without a key. A route that is added and missing here fails the test.

| method | route | owner | other | nobody |
|---|---|---|---|---|
"""


@pytest.fixture
def service(valkey_url: str, tmp_path: Path) -> Iterator[Service]:
    with serve(valkey_url, tmp_path, external_inference=True) as found:
        yield found


def things_of(service: Service, client: FlaskClient) -> dict[str, str]:
    """Make one of each thing that has an id: by the names of the arguments in the routes."""
    with service.worker(service.pdf):
        made = client.post("/ai_service_binary", json={"param1": "a text"})
    assert made.status_code == 200
    job = service.engine.get(made.headers["X-Job-ID"])
    assert job is not None
    turn = NewTurn(str(uuid.uuid4()), "a message", new=True)
    service.engine.submit(NewJob("ai_service", "io", job.owner, 30.0, {"param1": "a"}, turn=turn))
    file = client.post("/v1/files", data={"file": (BytesIO(b"a text"), "a.txt", "text/plain")})
    deployment = deployed(service, job.owner)
    # `name` is a file of the job in every route that has a job.
    return {
        "job_id": job.id,
        "task_id": job.id,
        "name": "analysis.pdf",
        "conversation_id": turn.conversation,
        "file_id": file.get_json()["id"],
    } | deployment


def deployed(service: Service, owner: str) -> dict[str, str]:
    """A pipeline in a workspace of the owner's."""
    registry = services_of(service.app).registry
    workspace = registry.create_workspace("mine", owner)
    tensor = Tensor("tensor", "float", (None, 1))
    model = registry.add_model(workspace, "model", ("0" * 64, "model.onnx", 1), ((tensor,), (tensor,)))
    pipeline, variant = registry.add_variant("mine", workspace, {})
    steps = (Step(model),)
    registry.deploy(Deployment(pipeline.id, "mine", "mine", workspace.id, owner, variant.id, variant.version, steps))
    return {"deployment": f"mine-{pipeline.id}", "pipeline": "mine", "model": f"mine-{pipeline.id}"}


def routes(app: Flask) -> list[tuple[str, Rule]]:
    return sorted(
        (
            (method, rule)
            for rule in app.url_map.iter_rules()
            if rule.arguments and rule.endpoint not in PUBLIC | SHARED | OPERATORS
            for method in (rule.methods or set()) - {"OPTIONS"}
        ),
        # What deletes comes last, and a part before its whole, so that there is something left to ask for.
        key=lambda each: (each[0] == "DELETE", -len(each[1].rule) if each[0] == "DELETE" else 0, each[1].rule, each[0]),
    )


def ask(client: FlaskClient, method: str, rule: Rule, things: dict[str, str]) -> Any:
    missing = rule.arguments - things.keys()
    assert not missing, f"{rule.rule} takes an id that things_of() does not make: {missing}"
    path = rule.rule
    for argument in rule.arguments:
        path = path.replace(f"<{argument}>", things[argument]).replace(f"<uuid:{argument}>", things[argument])
    assert "<" not in path, path
    return client.open(path, method=method)


def test_what_is_anothers_is_not_there(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    owner = service.client()
    other = service.client(services_of(service.app).keys.create("other")[1])
    nobody = service.app.test_client()
    things = things_of(service, owner)
    found = routes(service.app)
    assert len(found) >= 3
    rows = []
    for method, rule in found:
        foreign = ask(other, method, rule, things)
        stranger = ask(nobody, method, rule, things)
        own = ask(owner, method, rule, things)
        rows.append((method, rule.rule, own.status_code, foreign.status_code, stranger.status_code))
        assert foreign.status_code == 404, rows[-1]
        assert stranger.status_code == 401, rows[-1]
        # The job of this test has no webhook, so that there is none to send again.
        assert own.status_code not in (401, 403, 404) or rule.endpoint == "webhooks.redeliver_webhook", rows[-1]
        if method != "HEAD":
            unknown = ask(other, method, rule, dict.fromkeys(things, UNKNOWN))
            assert said(unknown.get_json()) == said(foreign.get_json())
    assert caplog.text.count("auth.foreign_") == len(found)
    check_page(rows)


def said(document: dict[str, Any]) -> str:
    """What an error says, in a shape of any of our surfaces."""
    return str(document.get("detail") or document["error"])


def test_another_user_of_the_same_marketplace_is_another_principal(service: Service) -> None:
    one, two = service.client(), service.client()
    one.environ_base["HTTP_NVM_USER_ID"], two.environ_base["HTTP_NVM_USER_ID"] = "one", "two"
    things = things_of(service, one)
    for method, rule in routes(service.app):
        assert ask(two, method, rule, things).status_code == 404


@pytest.mark.parametrize("member", ["owner", "role", "id", "state", "status", "priority", "scopes", "principal"])
def test_nobody_says_in_a_body_who_they_are(service: Service, member: str) -> None:
    refused = service.client().post("/v1/agents/ai_service/run", json={"param1": "a", member: "admin"})
    assert refused.status_code == 422
    assert member in refused.get_json()["errors"][0]["field"]


def test_ids_are_not_to_be_guessed(service: Service) -> None:
    client = service.client()
    headers = {"Prefer": "respond-async"}
    made = [client.post("/v1/agents/ai_service/run", json={"param1": "a"}, headers=headers) for _ in range(5)]
    ids = [uuid.UUID(each.get_json()["id"]) for each in made]
    assert {each.version for each in ids} == {4}  # 122 random bits
    neighbour = uuid.UUID(int=ids[0].int + 1)
    assert client.get(f"/v1/jobs/{neighbour}").status_code == 404


def check_page(rows: list[tuple[Any, ...]]) -> None:
    page = HEAD + "".join(
        f"| {method} | `{rule}` | {own} | {foreign} | {nobody} |\n" for method, rule, own, foreign, nobody in rows
    )
    if os.environ.get("WRITE_DOCS"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page, "run it once with WRITE_DOCS=1"


def test_a_file_that_is_not_what_it_says_is_refused_and_not_kept(service: Service) -> None:
    data = {"document": (BytesIO(b"<script>alert(1)</script>"), "a.pdf", "application/pdf")}
    refused = service.client().post("/v1/agents/read_file/run", data=data)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == "document"
    assert [path for path in service.engine.artifacts._root.rglob("*") if path.is_file()] == []  # type: ignore[attr-defined]
