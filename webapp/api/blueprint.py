"""flask-smorest's Blueprint, made to describe operations completely."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, ClassVar, Protocol, TypeVar

import flask_smorest
import marshmallow as ma
from flask import Flask

from webapp.api import idempotency, webhook_header
from webapp.api.parsing import RequestParser
from webapp.auth.guard import PROBES, PUBLIC
from webapp.http.limits import accepts

View = TypeVar("View", bound=Callable[..., Any])
Parameter = dict[str, Any]

# Errors that any view can answer, any that is public, any that is guarded, and any that reads a body.
ALWAYS = (414, 431, 500)
LIMITED = (429,)
GUARDED = (400, 401, 403, 429, 503)
READING = (400, 411, 413, 415)

MULTIPART = "multipart/form-data"

SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]


class Decorator(Protocol):
    """Takes a view and gives it back, changed within."""

    def __call__(self, view: View, /) -> View: ...


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A blueprint whose operations have an id, security and every error, and which refuses what it does not know."""

    ARGUMENTS_PARSER = RequestParser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING: ClassVar = {"json": "application/json", "form": MULTIPART}

    def __init__(self, name: str, module: str, description: str) -> None:
        super().__init__(name, module, description=description)
        self._prepare_doc_cbks.append(_complete)

    def route(self, rule: str, **options: Any) -> Decorator:
        """Serve a view at `rule` and describe it in the document."""
        decorator: Decorator = super().route(rule, **options)
        return decorator

    def arguments(self, schema: ma.Schema, *, location: str = "json", **options: Any) -> Decorator:
        """Give the view what the request sends, checked by `schema`."""
        if location == "json":
            # No body at all is an empty one.
            options.setdefault("required", any(field.required for field in schema.fields.values()))
        decorator: Decorator = super().arguments(schema, location=location, **options)
        return decorator

    def form(self, schema: ma.Schema, **options: Any) -> Decorator:
        """Give the view the fields and files of a multipart form, checked by `schema`."""
        reads = self.arguments(schema, location="form", **options)

        def decorator(view: View) -> View:
            return reads(accepts(MULTIPART)(view))

        return decorator

    def response(self, status_code: int, schema: Any = None, **options: Any) -> Decorator:
        """Answer with what the view returns, dumped by `schema`."""
        options.setdefault("headers", {})
        options["headers"] = {"X-Request-ID": "X-Request-ID"} | options["headers"]
        decorator: Decorator = super().response(status_code, schema, **options)
        return decorator

    def alt_response(self, status_code: int, response: str | None = None, **options: Any) -> Decorator:
        """Describe another answer of the view."""
        decorator: Decorator = super().alt_response(status_code, response, **options)
        return decorator

    def operation(
        self,
        operation_id: str,
        *,
        errors: tuple[int, ...] = (),
        parameters: Iterable[Parameter] = (),
        makes_job: bool = False,
        **more: Any,
    ) -> Decorator:
        """Name the operation, the errors that it answers beside those of every view of its kind, and its parameters.

        Parameters of `route` would be those of every method of its path. With `makes_job` it takes the headers of a
        request that makes one.
        """

        def decorator(view: View) -> View:
            endpoint = f"{self.name}.{view.__name__}"
            public = endpoint in PUBLIC
            limits = () if endpoint in PROBES else LIMITED
            all_errors = (*errors, *(idempotency.ERRORS if makes_job else ()), *(limits if public else GUARDED))
            operation = {
                "id": operation_id,
                "public": public,
                "errors": all_errors,
                "parameters": parameters,
                "makes_job": makes_job,
            }
            described: Any = view
            described._apidoc = {**getattr(view, "_apidoc", {}), "operation": operation, "manual_doc": more}
            return view

        return decorator


def _complete(doc: dict[str, Any], info: dict[str, Any], *, app: Flask, **_: Any) -> dict[str, Any]:
    """Add to an operation what flask-smorest leaves out. It is called after flask-smorest's own callbacks."""
    operation = info["operation"]
    doc["operationId"] = operation["id"]
    doc["security"] = [] if operation["public"] else SECURITY
    parameters = [*operation["parameters"], *(_of_job_makers(app) if operation["makes_job"] else ())]
    if parameters:
        doc.setdefault("parameters", []).extend(parameters)
    errors = (*operation["errors"], *(READING if "requestBody" in doc else ()), *ALWAYS)
    for status in sorted(errors):
        doc.setdefault("responses", {}).setdefault(status, HTTPStatus(status).name)
    return doc


def _of_job_makers(app: Flask) -> list[Parameter]:
    return [idempotency.PARAMETER, *webhook_header.parameters(app)]
