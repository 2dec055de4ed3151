"""One id for everything that a request causes: in the answer, in every log line, and through the queue."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flask import Flask

from tasks.jobs import logs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"
# Long enough to be unique, and of characters that are safe in a header, a log and a URL.
_VALID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

_current: ContextVar[str] = ContextVar("request_id", default="")


def init_app(app: Flask) -> None:
    """Give every request of `app` an id: the caller's own when it is well-formed, else a new one."""
    app.wsgi_app = RequestId(app.wsgi_app)  # type: ignore[method-assign]


def current_request_id() -> str:
    """The id of the request that this thread or greenlet answers, `""` outside of one."""
    return _current.get()


class RequestId:
    """Middleware, so that no error of a later layer leaves an answer or a log line without the id."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = sent if _VALID.fullmatch(sent) else uuid.uuid4().hex
        # A connection that is kept alive is served by one greenlet: what its last request bound must go.
        logs.clear()
        logs.bind(request_id=request_id)
        _current.set(request_id)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, (HEADER, request_id)], *rest)

        return self._app(environ, start)
