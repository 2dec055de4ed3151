"""The documentation: the OpenAPI document, and a page that shows it. Everything is served from here."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Response, abort, request

from webapp.api.blueprint import Blueprint
from webapp.openapi import openapi_document as rendered_document

docs = Blueprint("docs", __name__, "This documentation.")

FOLDER = Path(__file__).parent.parent / "static" / "docs"

# What the page loads, by the name of its file. The large ones are kept compressed.
ASSETS = {
    "page.js": "page.js",
    "page.css": "page.css",
    "swagger-ui-bundle.js": "swagger-ui-bundle.js.gz",
    "swagger-ui.css": "swagger-ui.css.gz",
}

# The assets change with a release only, and then they are asked about: their ETag is compared.
ASSET_SECONDS = 3600

# Swagger UI sets styles on its elements, and its style sheet holds its icons as data: URLs.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@docs.route("/openapi.json")
@docs.response(200, {"type": "object"}, description="The document.", example={"openapi": "3.0.3"})
@docs.operation("openapi")
def openapi_document() -> Response:
    """Read this API as an OpenAPI document."""
    response = Response(rendered_document(), mimetype="application/json")
    response.add_etag()
    response.make_conditional(request)
    return response


@docs.route("/docs")
@docs.response(200, {"type": "string"}, content_type="text/html", description="The page.", example="<!doctype html>…")
@docs.operation("docs")
def page() -> Response:
    """Read this API as a page, and try it."""
    response = _file("page.html", "text/html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def asset(name: str) -> Response:
    """A file that the page loads."""
    file = ASSETS.get(name)
    if file is None:
        abort(404)
    response = _file(file, mimetypes.guess_type(name)[0])
    response.cache_control.max_age = ASSET_SECONDS
    if file != name:
        # Every browser that can run the page reads gzip, so there is no other form of it.
        response.headers["Content-Encoding"] = "gzip"
    return response


def _file(name: str, media_type: str | None) -> Response:
    response = Response((FOLDER / name).read_bytes(), mimetype=media_type)
    response.add_etag()
    response.make_conditional(request)
    return response


# Beside flask-smorest's registration: the files of a page are no operations.
docs.record(lambda state: state.add_url_rule("/docs/assets/<name>", "asset", asset))
