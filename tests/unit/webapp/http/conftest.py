"""A bare application with nothing but the layers that this room provides."""

from __future__ import annotations

from collections.abc import Iterator

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
