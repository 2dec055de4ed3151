"""`GET /metrics`, on a port of its own. Where callers ask, there is no such path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask

from tasks.metrics.counting import count, exposition
from tasks.metrics.settings import MetricsSettings
from webapp.http.ports import port_of
from webapp.services import services_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXTENSION = "slipway.metrics"


def init_app(app: Flask, settings: MetricsSettings) -> None:
    """Let `app` answer at the port of `settings` with metrics alone. To be called last: it stands before the rest."""
    if settings.port:
        port = MetricsPort(app.wsgi_app, settings)
        app.wsgi_app = app.extensions[EXTENSION] = port  # type: ignore[method-assign]


def start(app: Flask, slot: str, aside: Callable[[Callable[[], bytes]], bytes]) -> None:
    """Count in this process, after its fork, and begin to answer. See `tasks.metrics.counting` for the arguments."""
    port: MetricsPort | None = app.extensions.get(EXTENSION)
    if port is not None:
        port.start(app, slot, aside)


class MetricsPort:
    """Middleware that parts the two ports. Which one it was, the server's socket says and no header."""

    def __init__(self, app: WSGIApplication, settings: MetricsSettings) -> None:
        self._app = app
        self._settings = settings
        self._metrics: WSGIApplication | None = None

    def start(self, app: Flask, slot: str, aside: Callable[[Callable[[], bytes]], bytes]) -> None:
        folder, engine = self._settings.folder / "web", services_of(app).engine
        count(folder, slot)
        self._metrics = exposition(folder, engine.redis, engine.keys, engine.settings.queues, aside)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._metrics is not None and port_of(environ) == self._settings.port:
            return self._metrics(environ, start_response)
        return self._app(environ, start_response)
