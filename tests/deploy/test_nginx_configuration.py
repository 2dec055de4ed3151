"""The configuration is valid, and its numbers fit those of what stands behind it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.edge import START, Edge, make_certificate
from webapp.settings import WebSettings

FOLDER = START.parent


def seconds(name: str, file: str) -> float:
    """The value of a directive that is a time in seconds."""
    found = re.search(rf"^\s*{name} (\d+)s;", (FOLDER / file).read_text(), re.MULTILINE)
    assert found, f"{file} does not set {name}"
    return float(found[1])


def gunicorn(name: str) -> float:
    found = re.search(rf"^{name} = (\d+)", (FOLDER.parent / "gunicorn.conf.py").read_text(), re.MULTILINE)
    assert found
    return float(found[1])


@pytest.fixture
def not_started(tmp_path: Path) -> Iterator[Edge]:
    edge = Edge(tmp_path, 9)
    make_certificate(tmp_path)
    yield edge
    shutil.rmtree(edge.run_directory)


def test_nginx_takes_the_configuration(not_started: Edge) -> None:
    command = [str(START), "-t"]
    done = subprocess.run(command, env=not_started.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr
    for file in (not_started.run_directory / "conf").iterdir():
        assert not re.search(r"\$\{[A-Z]", file.read_text()), f"a name was not filled in: {file}"


def test_nginx_closes_idle_connections_before_gunicorn() -> None:
    assert seconds("keepalive_timeout", "nginx.conf.template") < gunicorn("keepalive")


@pytest.mark.parametrize("limit", ["sync_budget", "heartbeat"])
def test_nginx_waits_longer_than_the_application_is_silent(limit: str) -> None:
    assert seconds("proxy_read_timeout", "proxy.conf") > getattr(WebSettings(), limit)


def test_a_reader_may_pause_longer_than_a_heartbeat() -> None:
    assert seconds("send_timeout", "limits.conf") > WebSettings().heartbeat


def test_bodies_have_the_application_s_limit() -> None:
    assert re.search(r"MAX_BODY:=(\w+)", START.read_text())[1] == "1m"  # type: ignore[index]
    assert WebSettings().max_body == 1024 * 1024
    assert re.search(r"MAX_FILE:=(\w+)", START.read_text())[1] == "64m"  # type: ignore[index]
    assert WebSettings().max_file == 64 * 1024 * 1024


@pytest.mark.parametrize(("name", "limit"), [("MAX_INFERENCE", "max_inference_body"), ("MAX_MODEL", "max_model_body")])
def test_bodies_of_pipelines_have_the_application_s_limits(name: str, limit: str) -> None:
    megabytes = re.search(rf"{name}:=(\d+)m", START.read_text())
    assert megabytes is not None
    assert int(megabytes[1]) * 1024 * 1024 == getattr(WebSettings(), limit)
