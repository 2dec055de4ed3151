"""What a request body may be: bounded, of known length, not compressed, and of the type that its route reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from flask import Flask, current_app, request

from webapp.http.problem import Problem

JSON = "application/json"
# Their bodies mean nothing (RFC 9110, 9.3), so they are never read.
BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

PIECE = 64 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def init_app(app: Flask, max_body: int, larger: Mapping[str, int]) -> None:
    """Refuse bodies over `max_body` bytes, and what no route of `app` could read.

    `larger` are the limits of views that say that they take more, by the names of their settings.
    """
    app.config["MAX_CONTENT_LENGTH"] = max_body
    app.config.update(larger)
    # Parts of a form that are no files are held in memory.
    app.config["MAX_FORM_MEMORY_SIZE"] = max_body
    app.before_request(check_body)


def accepts(*media_types: str) -> Callable[[View], View]:
    """Let a view read bodies of these types. A view that says nothing reads JSON alone."""

    def mark(view: View) -> View:
        view.accepted_media_types = frozenset(media_types)  # type: ignore[attr-defined]
        return view

    return mark


def takes_up_to(setting: str) -> Callable[[View], View]:
    """Let a view read bodies of the size that is configured under this name, in place of `MAX_CONTENT_LENGTH`.

    Such a view reads its body by itself, piece by piece.
    """

    def mark(view: View) -> View:
        view.body_limit = setting  # type: ignore[attr-defined]
        return view

    return mark


def body_in_pieces() -> Iterator[bytes]:
    """The body of this request. Raises a `Problem` with 400 at its end when the caller went away in the middle."""
    read, length = 0, request.content_length or 0
    while piece := request.stream.read(PIECE):
        read += len(piece)
        yield piece
        time.sleep(0)  # what comes in fast must not hold up the streams of this process
    if read < length:
        raise _incomplete()


def check_body() -> None:
    """Refuse the request if its body is one that must not be read."""
    larger = _marked("body_limit")
    request.max_content_length = current_app.config[larger or "MAX_CONTENT_LENGTH"]
    _check_length(request.max_content_length)
    if request.endpoint is None or request.method in BODILESS or not request.content_length:
        return
    _check_coding()
    _check_type()
    if request.mimetype == JSON and not larger:
        _read_whole(request.content_length)


def _check_length(limit: int) -> None:
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        # The server unchunks such a body, and Werkzeug would cut it off at the limit without a word.
        _throw_away(limit)
        raise Problem(411, "length_required", "Send the body with a Content-Length, not chunked.")
    if (request.content_length or 0) > limit:
        raise Problem(413, "content_too_large", f"The body may have {limit} bytes at most.", extra={"limit": limit})


def _throw_away(most: int) -> None:
    # The server does this itself before the next request of the connection, but what it then finds to be malformed it
    # answers a second time.
    body = request.environ["wsgi.input"]
    try:
        while most > 0 and (piece := body.read(min(most, PIECE))):
            most -= len(piece)
    except Exception as error:
        # Each server has exceptions of its own for this, and they have no more in common.
        raise Problem(400, "malformed_body", "The chunks of the body are malformed.") from error


def _check_coding() -> None:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        # What a few compressed bytes unfold to is bounded by nothing.
        headers = {"Accept-Encoding": "identity"}
        raise Problem(415, "unsupported_content_encoding", "Send the body uncompressed.", headers=headers)


def _check_type() -> None:
    accepted = _accepted()
    if request.mimetype not in accepted:
        wanted = " or ".join(sorted(accepted))
        raise Problem(415, "unsupported_media_type", f"Send the body as {wanted}.", headers={"Accept": wanted})


def _accepted() -> frozenset[str]:
    return _marked("accepted_media_types") or frozenset({JSON})


def _marked(name: str) -> Any:
    """What the view of this request is marked with: its method, or the whole of it."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    method = getattr(getattr(view, "view_class", None), request.method.lower(), None)
    return next(filter(None, (getattr(each, name, None) for each in (method, view))), None)


def _read_whole(length: int) -> None:
    # Kept by the request for whoever parses it. A caller that went away in the middle must not be taken at half
    # its word, and Werkzeug does not count when the server ends the stream itself.
    if len(request.get_data()) < length:
        raise _incomplete()


def _incomplete() -> Problem:
    return Problem(400, "incomplete_body", "The body ended before its Content-Length.")
