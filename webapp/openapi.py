"""The OpenAPI document: what flask-smorest collects, and what it does not know about this service."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import Any, cast

import flask_smorest
import marshmallow as ma
import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.field_converter import FieldConverterMixin
from flask import Flask, current_app

from webapp.http import problem
from webapp.schemas.document import component_name
from webapp.schemas.fields import JsonText
from webapp.settings import WebSettings

# 3.0.3 is what every importer reads; 3.1 is still refused by some marketplaces.
VERSION = "3.0.3"
EXTENSION = "slipway-openapi"

HEADERS = {
    "X-Request-ID": "Names this request in the logs; the caller's own when it sent one.",
    "X-Job-ID": "The job that made this answer.",
    "X-Conversation-ID": "The conversation that the message belongs to.",
    "Location": "Where the job is read.",
    "Content-Location": "Where this answer can be fetched again.",
    "Content-Disposition": "The name of the file.",
    "ETag": "Names this state; send it as `If-None-Match` to be answered 304 while it stays.",
    "Idempotency-Replayed": "`true` when an earlier request with the same `Idempotency-Key` made this job.",
    "NVMCreditsConsumed": "What this answer costs, if its agent has a price; 0 for a result that was delivered before.",
    "Preference-Applied": "The preferences that were honoured.",
    "RateLimit": "How many requests are left, as in draft-ietf-httpapi-ratelimit-headers.",
    "RateLimit-Policy": "The limit that was applied, and its window in seconds.",
    "Retry-After": "Seconds to wait before trying again.",
    "WWW-Authenticate": "How to identify oneself.",
}

# Headers that an error has beside the request's id.
OF_A_JOB = ("Location", "X-Job-ID")
ERROR_HEADERS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    409: OF_A_JOB,
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    502: OF_A_JOB,
    503: ("Retry-After",),
    504: OF_A_JOB,
}

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or an access token."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same API key as a header."},
}


class ProblemSchema(problem.ProblemSchema):
    """An error. Some carry members of their own, such as the limit that was passed."""

    class Meta:
        """Members that are not described are allowed."""

        unknown = ma.INCLUDE


class Api(problem.ProblemErrors, flask_smorest.Api):  # type: ignore[misc]
    """Collects the operations. Errors are answered and described as problems (RFC 9457)."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, settings: WebSettings) -> None:
        super().__init__(app, spec_kwargs=_spec_options(settings))
        self.ma_plugin.converter.add_attribute_function(describe_json_text)
        self.ma_plugin.converter.add_attribute_function(leave_null_to_any_type)
        self.ma_plugin.converter.add_parameter_attribute_function(describe_json_parameter)
        for name, scheme in SECURITY_SCHEMES.items():
            self.spec.components.security_scheme(name, scheme)
        for name, description in HEADERS.items():
            self.spec.components.header(name, {"description": description, "schema": {"type": "string"}})
        app.extensions[EXTENSION] = self

    @cached_property
    def document(self) -> bytes:
        """The document as it is served, rendered once: it cannot change while the process lives."""
        return orjson.dumps(self.spec.to_dict(), option=orjson.OPT_NON_STR_KEYS)

    def _register_pagination_header(self) -> None:
        """Leave flask-smorest's own paging out: nothing here uses it."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                self.spec.components.response(status.name, _problem_response(status), lazy=True)


def openapi_document() -> bytes:
    """The document of the application that answers this request."""
    return _api().document


def json_schema(schema: ma.Schema) -> dict[str, Any]:
    """A schema by itself, as the document describes it."""
    described: dict[str, Any] = _api().ma_plugin.converter.schema2jsonschema(schema)
    return described


def _api() -> Api:
    return cast(Api, current_app.extensions[EXTENSION])


def _spec_options(settings: WebSettings) -> dict[str, Any]:
    description = f"{settings.api_summary}\n\n{settings.api_description}"
    return {
        "title": settings.api_title,
        "version": settings.api_version,
        "openapi_version": VERSION,
        "info": {"description": description, "license": _license(settings.api_license)},
        "servers": [{"url": settings.public_base_url.rstrip("/")}],
        "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=cast(Any, component_name)),
    }


def describe_json_text(
    converter: FieldConverterMixin, field: ma.fields.Field[Any], ret: dict[str, Any]
) -> dict[str, Any]:
    """Describe a value that is written as JSON inside of a form: by itself, because a form says JSON for objects."""
    return converter.field2property(field.inner) | ret if isinstance(field, JsonText) else {}


def _license(spdx: str) -> dict[str, str]:
    # 3.0 has no word for the identifier itself, which 3.1 has.
    return {"name": spdx, "url": f"https://spdx.org/licenses/{spdx}.html"}


def leave_null_to_any_type(_: FieldConverterMixin, _field: ma.fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """Do not call a value of any type nullable: null is among them already, and OpenAPI 3.0 wants a type beside it."""
    if "type" not in ret:
        ret.pop("nullable", None)
    return {}


def describe_json_parameter(_: FieldConverterMixin, field: ma.fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """Describe such a value in a query, where it has to be said that it is JSON."""
    return {"content": {"application/json": {"schema": ret.pop("schema")}}} if isinstance(field, JsonText) else {}


def _problem_response(status: HTTPStatus) -> dict[str, Any]:
    title, code = problem.title_of(status), problem.code_of(status)
    example = {
        "type": problem.type_of(status, code),
        "title": title,
        "status": status.value,
        "detail": "What went wrong, in a sentence.",
        "instance": "/ai_service",
        "code": code,
        "request_id": "5f0c9a2e7d814b0e",
    }
    return {
        "description": title,
        "headers": {name: name for name in ("X-Request-ID", *ERROR_HEADERS.get(status, ()))},
        "content": {problem.MEDIA_TYPE: {"schema": ProblemSchema, "example": example}},
    }
