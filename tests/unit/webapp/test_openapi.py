"""The OpenAPI document: complete, importable, and true to the routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue
from webapp.auth.guard import PUBLIC
from webapp.factory import create_app
from webapp.settings import WebSettings

METHODS = ("get", "post", "put", "patch", "delete")
# A file of a page, and what only an operator may call.
HIDDEN = {
    "docs.asset",
    "sockets.chat",
    "dead_jobs.list_dead",
    "dead_jobs.show",
    "dead_jobs.retry",
    "dead_jobs.purge",
}
OPENAI = {"/v1/models", "/v1/chat/completions"}
PIPELINES = "/v1/api/"
OPEN_PROTOCOL = "/v2"


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    read: dict[str, Any] = client.get("/openapi.json").get_json()
    return read


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def test_it_says_what_the_settings_say(catalogue: Catalogue) -> None:
    settings = WebSettings(
        api_key=Secret("key"),
        public_base_url="https://ai.example.org/",
        api_title="A title",
        api_summary="A summary.",
        api_description="A description.",
        api_version="9.8.7",
    )
    app = create_app(settings, EngineSettings(), catalogue=catalogue)
    document = app.test_client().get("/openapi.json").get_json()
    assert document["openapi"] == "3.0.3"
    assert document["servers"] == [{"url": "https://ai.example.org"}]
    assert document["info"]["title"] == "A title"
    assert document["info"]["version"] == "9.8.7"
    assert document["info"]["description"] == "A summary.\n\nA description."


def test_every_route_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method.lower(), rule.rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in HIDDEN
        for method in rule.methods or ()
        if method.lower() in METHODS
    }
    assert {(method, path) for method, path, _ in operations(document)} == routes


def test_no_operation_tells_of_the_inside(document: dict[str, Any]) -> None:
    inside = [path for path in document["paths"] if "metrics" in path or "admin" in path]
    # These two are called so by the clients of pipelines, and administer nothing.
    assert inside == [f"{PIPELINES}admin/get_pipeline_{kind}_url" for kind in ("external", "internal")]


def test_every_operation_has_a_name_of_its_own_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    described = list(operations(document))
    ids = [operation["operationId"] for _, _, operation in described]
    assert len(set(ids)) == len(ids)
    assert all(each.replace("_", "").isalnum() for each in ids)
    tags = {tag["name"] for tag in document["tags"]}
    for _, _, operation in described:
        assert operation["summary"]
        assert set(operation["tags"]) <= tags


def test_an_operation_needs_a_key_exactly_when_the_guard_wants_one(app: Flask, document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["apiKey"]["in"], schemes["apiKey"]["name"]) == ("header", "X-API-Key")
    public = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in PUBLIC}
    for _, path, operation in operations(document):
        assert operation["security"] == ([] if path in public else [{"bearer": []}, {"apiKey": []}])
        assert ("401" in operation["responses"]) == (path not in public)


def test_every_error_is_a_problem_with_an_example(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        if path in OPENAI or path.startswith((PIPELINES, OPEN_PROTOCOL)):
            continue
        errors = [status for status in operation["responses"] if int(status) >= 400]
        assert errors
        for status in errors:
            answer = resolve(document, operation["responses"][status])
            content = answer["content"]["application/problem+json"]
            assert set(resolve(document, content["schema"])["required"]) <= set(content["example"])
            assert content["example"]["status"] == int(status)
            assert "X-Request-ID" in answer["headers"]


def test_the_open_inference_protocol_has_errors_of_one_member(document: dict[str, Any]) -> None:
    paths = [(path, operation) for _, path, operation in operations(document) if path.startswith(OPEN_PROTOCOL)]
    assert len(paths) == 6
    for _, operation in paths:
        errors = [answer for status, answer in operation["responses"].items() if int(status) >= 400]
        assert errors
        assert all(list(answer["content"]) == ["application/json"] for answer in errors)
        assert all(list(answer["content"]["application/json"]["example"]) == ["error"] for answer in errors)


@pytest.mark.parametrize("path", sorted(OPENAI))
def test_the_compatible_door_has_errors_of_its_own_shape(document: dict[str, Any], path: str) -> None:
    [operation] = [each for _, at, each in operations(document) if at == path]
    errors = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
    assert errors
    assert "422" not in errors
    for answer in errors.values():
        assert set(answer["content"]["application/json"]["example"]["error"]) == {"message", "type", "param", "code"}


def test_pipelines_have_errors_of_their_own_shapes(document: dict[str, Any]) -> None:
    described = [(path, operation) for _, path, operation in operations(document) if path.startswith(PIPELINES)]
    assert len(described) > 8
    for path, operation in described:
        shape = {"code", "status", "error", "source"} if "/infer/" in path else {"msg", "code"}
        errors = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"400", "401", "403", "503"} <= errors.keys()
        assert "422" not in errors
        for status, answer in errors.items():
            example = answer["content"]["application/json"]["example"]
            assert set(example) == shape
            assert example["code"] == int(status)
        assert errors["401"]["content"]["text/plain"]["example"] == "Jwt is missing"


def test_every_operation_has_examples(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter.get("schema", {})
            assert "example" in schema or "example" in parameter or not parameter.get("required"), (method, path)
        body = operation.get("requestBody", {"content": {}})
        assert all("example" in media for media in body["content"].values()), (method, path)
        for status in ("200", "202"):
            for media_type, media in operation["responses"].get(status, {}).get("content", {}).items():
                binary = media["schema"].get("format") == "binary"
                assert binary or "example" in media, (method, path, media_type)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert len(found) > 10
    for reference in found:
        assert resolve(document, {"$ref": reference})


def test_answers_of_jobs_name_their_job(document: dict[str, Any]) -> None:
    run = document["paths"]["/v1/agents/ai_service/run"]["post"]
    assert {"X-Job-ID", "Location"} <= set(run["responses"]["202"]["headers"])
    for path in ("/ai_service", "/ai_service_binary"):
        for method in ("get", "post"):
            operation = document["paths"][path][method]
            assert "X-Job-ID" in operation["responses"]["200"]["headers"]
            assert "Location" in resolve(document, operation["responses"]["504"])["headers"]


def test_each_agent_is_described_by_its_signature(document: dict[str, Any]) -> None:
    run = document["paths"]["/v1/agents/ai_service/run"]["post"]
    assert run["summary"] == "Analyse a text in the tests."
    assert run["description"] == "It says nothing new."
    schema = resolve(document, run["requestBody"]["content"]["application/json"]["schema"])
    assert schema == {
        "type": "object",
        "properties": {
            "param1": {
                "type": "string",
                "maxLength": 100,
                "description": "The text to analyse",
                "example": "A short text.",
            },
            "param2": {"type": "string", "nullable": True, "description": "A focus"},
        },
        "required": ["param1"],
        "additionalProperties": False,
    }


def test_every_type_is_described_as_json_schema_says_it(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["EveryTypeInput"]["properties"]
    assert schema["whole"] == {
        "type": "integer", "minimum": 0, "maximum": 10, "description": "A count", "example": 0
    }  # fmt: skip
    assert schema["choice"]["enum"] == ["short", "long"]
    assert schema["words"]["minItems"] == 1
    assert schema["words"]["items"] == {"type": "string"}
    assert schema["level"] == {"type": "integer", "enum": [1, 2, None], "nullable": True}
    options = schema["options"]
    assert options["additionalProperties"] is False
    assert options["properties"]["depth"]["default"] == 2


def test_files_are_described_as_parts_of_a_form(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/agents/read_file/run"]["post"]["requestBody"]["content"]
    assert list(content) == ["multipart/form-data"]
    schema = resolve(document, content["multipart/form-data"]["schema"])["properties"]
    binary = {"type": "string", "format": "binary"}
    assert schema["document"] == binary | {"description": "A document"}
    assert schema["others"] == {"type": "array", "items": binary}
    assert schema["options"]["properties"]["depth"]["type"] == "integer"


def test_a_query_has_the_parameters_of_the_body(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/ai_service"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in parameters] == [
        ("param1", "query", True),
        ("param2", "query", False),
    ]


def test_it_is_rendered_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get("/openapi.json").data
    monkeypatch.setattr("webapp.openapi.orjson.dumps", None)
    assert client.get("/openapi.json").data == first
