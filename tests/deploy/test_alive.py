"""When a process counts as dead: only when a restart would help."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from deploy import alive
from deploy.local.stack import Stack
from deploy.local.valkey import free_port
from tasks.jobs.keys import Keys
from tests.support.client import engine_of


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with a worker and something else."""
    for pid, command in (("7", b"celery\0--app\0tasks.worker.main\0worker\0"), ("8", b"sh\0-c\0sleep\0")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_bytes(command)
    (tmp_path / "self").mkdir()
    return tmp_path


def test_a_worker_that_redis_has_heard_of_lives(stack: Stack, proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", stack.redis_url)
    redis, key, name = engine_of(stack).redis, Keys().workers("io"), f"io@{socket.gethostname()}/7"
    assert alive.worker_fault(proc) == "the worker runs, but says nothing"
    redis.zadd(key, {name: 2e12})
    assert alive.worker_fault(proc) == ""
    redis.zrem(key, name)


def test_a_worker_without_redis_lives(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    assert alive.worker_fault(proc) == ""


def test_no_worker_is_dead(tmp_path: Path) -> None:
    assert alive.worker_fault(tmp_path) == "no worker runs here"


def test_the_web_server(stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(os.environ, "PORT", str(stack.port))
    assert alive.main("web") == 0
    monkeypatch.setitem(os.environ, "PORT", str(free_port()))
    assert alive.main("web") == 1
    assert "does not answer" in capsys.readouterr().err
