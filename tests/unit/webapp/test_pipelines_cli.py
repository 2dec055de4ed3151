"""What `flask pipelines` does without Redis and without a worker."""

from __future__ import annotations

import json

import pytest
from click.testing import Result

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from webapp.factory import create_app
from webapp.settings import WebSettings


def encode(*names: str) -> Result:
    engine = EngineSettings(redis_url=Secret("redis://127.0.0.1:9/0"))
    app = create_app(WebSettings(api_key=Secret("the key")), engine, catalogue={})
    return app.test_cli_runner().invoke(args=["pipelines", "encode", *names])


def test_codes_are_written_as_the_body_of_a_request() -> None:
    done = encode("example.com", "a-1.de")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"text_input": [[0] * 43 + [16, 35, 12, 24, 27, 23, 16], [0] * 47 + [12, 1, 3]]}


@pytest.mark.parametrize("name", ["exa mple.com", ""])
def test_what_is_no_name_is_told_and_nothing_is_written(name: str) -> None:
    done = encode("example.com", name)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
