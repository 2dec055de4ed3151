"""A bare application with nothing but the layers that this room provides."""

from __future__ import annotations

from collections.abc import Iterator
from logging import DEBUG, Handler, LogRecord, getLogger
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs import logs
from webapp.http import limits, logging, problem, request_id

MAX_BODY = 1000


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    logging.init_app(app)
    request_id.init_app(app)
    problem.init_app(app)
    limits.init_app(app, MAX_BODY, {})
    return app


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    yield app.test_client()
    logs.clear()


class Lines(Handler):
    """Keeps what each line says, with what was bound when it was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, Any]] = []

    def emit(self, record: LogRecord) -> None:
        self.written.append(logs.fields(record))


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """Every line that is logged, before anything is taken out of it."""
    caplog.set_level(DEBUG)
    handler = Lines()
    getLogger().addHandler(handler)
    yield handler.written
    getLogger().removeHandler(handler)
