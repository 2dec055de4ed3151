"""Serve the playground: one page and its files, of which nothing is built and nothing comes from elsewhere."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request

from webapp.openapi import Api

playground = Blueprint("playground", __name__)

FOLDER = Path(__file__).parent / "static"

# Everything comes from here, and no script or style stands in the page itself. Files of jobs are shown from memory:
# a PDF is a frame whose address is a blob, and what the browser's own viewer loads obeys this policy too.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-src blob:",
        "object-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def register(app: Flask, _: Api) -> None:
    """Serve the page. It is for people, so it is in no document."""
    app.register_blueprint(playground)


@playground.route("/playground")
def page() -> Response:
    """The page."""
    response = _file("index.html")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


@playground.route("/playground/assets/<name>")
def asset(name: str) -> Response:
    """A file that the page loads."""
    if not (FOLDER / name).is_file() or name == "index.html":
        abort(404)
    return _file(name)


def _file(name: str) -> Response:
    response = Response((FOLDER / name).read_bytes(), mimetype=mimetypes.guess_type(name)[0])
    # Asked about each time: a page and a script of different releases do not fit together.
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response
