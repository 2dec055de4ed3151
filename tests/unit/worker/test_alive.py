"""What makes a worker alive: its marks, and how old they may be."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.worker.alive import Mark, Marks, main, path_of, why_not

STALE, OUTAGE = 60.0, 600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_of(tmp_path / "alive", "io@host")


def after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + seconds)


def test_a_worker_whose_parts_turn_is_alive(path: Path) -> None:
    Marks(path)
    assert why_not(path) == ""


def test_a_worker_without_a_file_is_not(path: Path) -> None:
    assert "cannot be read" in why_not(path)


def test_a_worker_that_is_up_but_does_not_consume_is_not_alive(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks(path)
    after(monkeypatch, STALE + 1)
    for mark in (Mark.KEEPER, Mark.REDIS):
        marks.touch(mark)
    assert why_not(path) == "Redis answers, but its consumer stands still since 61 s"
    marks.touch(Mark.CONSUMER)
    assert why_not(path) == ""


def test_a_worker_without_redis_is_alive_for_long_but_not_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks(path)
    after(monkeypatch, OUTAGE - 1)
    marks.touch(Mark.KEEPER)
    assert why_not(path) == ""
    after(monkeypatch, 2)
    assert "no connection" in why_not(path)


@pytest.mark.parametrize("thread", [Mark.KEEPER, Mark.LEASES])
def test_a_worker_whose_thread_stands_still_is_not_alive(
    path: Path, monkeypatch: pytest.MonkeyPatch, thread: Mark
) -> None:
    marks = Marks(path)
    marks.touch(Mark.LEASES)
    after(monkeypatch, STALE + 1)
    for mark in set(Mark) - {thread, Mark.DRAIN}:
        marks.touch(mark)
    assert thread.name.lower() in why_not(path)


def test_a_worker_that_drains_need_not_consume(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks(path)
    marks.touch(Mark.DRAIN)
    after(monkeypatch, STALE + 1)
    marks.touch(Mark.KEEPER)
    assert why_not(path) == ""


def test_the_command_says_it_by_its_exit_code(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"ALIVE_DIR": str(path.parent)}
    assert main(["io"], environ) == 1
    assert "worker io is not alive" in capsys.readouterr().err
    Marks(path)
    assert main(["io"], environ) == 0
    assert main(["io"], environ | {"ALIVE_SECONDS": "-1"}) == 1


def test_without_a_name_all_of_them_are_asked_about(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"ALIVE_DIR": str(path.parent)}
    assert main([], environ) == 1
    assert "no worker" in capsys.readouterr().err
    for worker in ("io@host", "cpu@host"):
        Marks(path_of(path.parent, worker))
    assert main([], environ) == 0
    assert main([], environ | {"ALIVE_SECONDS": "-1"}) == 1
    assert "worker io is not alive" in capsys.readouterr().err


def test_it_is_cheap_to_ask() -> None:
    script = "import sys, tasks.worker.alive; sys.exit(any(m in sys.modules for m in ('celery', 'redis', 'orjson')))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
