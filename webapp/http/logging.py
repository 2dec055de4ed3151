"""One log line a request, written when its answer is over: of a stream, when the stream is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

from tasks import metrics, tracing
from tasks.jobs import logs
from tasks.jobs.logs import configure

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["AccessLog", "configure", "init_app"]

# Asked every few seconds by whoever watches the process: written only at DEBUG.
PROBES = frozenset({"/livez", "/readyz"})
# Others are a caller's invention, and no label may be one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN = "unknown"  # a path that no route has, a method that nobody knows
LINE = "slipway.line"

log = logs.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Log every request of `app`. To be called before `request_id.init_app`, which must wrap it."""
    app.wsgi_app = AccessLog(app.wsgi_app)  # type: ignore[method-assign]
    app.after_request(_bind)


def _bind(response: Response) -> Response:
    line: _Line | None = request.environ.get(LINE)
    if line is not None and request.url_rule is not None:
        line.route = request.url_rule.rule
    # The line is written after the request's own context has gone.
    principal = g.get("principal")
    if principal is not None:
        logs.bind(principal=principal.id)
    return response


class AccessLog:
    """Middleware that logs a request when its body has been iterated or given up."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        line = environ[LINE] = _Line(environ)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            line.answered(status, headers)
            return start_response(status, headers, *rest)

        try:
            return _Body(self._app(environ, start), line)
        except BaseException:
            line.write()
            raise


class _Line:
    """What is known about a request; never its query values, headers or body."""

    __slots__ = ("_job_id", "_method", "_path", "_span", "_started", "_status", "route")

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._started = time.monotonic()
        self._method: str = environ["REQUEST_METHOD"]
        self._path: str = environ.get("PATH_INFO", "")
        # A WebSocket is answered past WSGI; refusals are not.
        self._status = 101 if environ.get("HTTP_UPGRADE", "").lower() == "websocket" else 0
        self._job_id = ""
        self.route = UNKNOWN
        self._span = tracing.begin("request", "server", tracing.valid(environ.get("HTTP_TRACEPARENT", "")))
        if self._span.traceparent:
            logs.bind(trace_id=tracing.trace_id(self._span.traceparent))

    def answered(self, status: str, headers: list[tuple[str, str]]) -> None:
        self._status = int(status[:3])
        self._job_id = next((value for name, value in headers if name.lower() == "x-job-id"), "")

    def write(self) -> None:
        seconds = time.monotonic() - self._started
        method = self._method if self._method in METHODS else UNKNOWN
        self._span.end(
            f"{method} {self.route}",
            failed=self._status >= HTTPStatus.INTERNAL_SERVER_ERROR,
            http_request_method=method,
            http_route=self.route,
            http_response_status_code=self._status,
            **({"job_id": self._job_id} if self._job_id else {}),
        )
        metrics.HTTP_REQUESTS.add(self.route, method, str(self._status))
        metrics.HTTP_SECONDS.observe(seconds, self.route)
        level = logging.DEBUG if self._path in PROBES and self._status < HTTPStatus.BAD_REQUEST else logging.INFO
        job = {"job_id": self._job_id} if self._job_id else {}
        log.log(
            level,
            "request",
            method=self._method,
            # WSGI hands the path's bytes over as Latin-1.
            path=self._path.encode("latin-1", "replace").decode("utf-8", "replace"),
            status=self._status,
            duration_ms=round(seconds * 1000, 1),
            **job,
        )


class _Body:
    """An answer's body that writes the line when the server lets go of it."""

    __slots__ = ("_body", "_iterator", "_line")

    def __init__(self, body: Iterable[bytes], line: _Line) -> None:
        self._body = body
        self._iterator = iter(body)
        self._line: _Line | None = line

    def __iter__(self) -> Iterator[bytes]:
        # The server asks the answer's own iterator: no frame of ours stands in every step of a stream.
        return self._iterator

    def close(self) -> None:
        line, self._line = self._line, None
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            if line is not None:
                line.write()
