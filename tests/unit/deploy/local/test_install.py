from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from deploy.local import install


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lock.txt").write_text("flask==3.1.3 \\\n    --hash=sha256:00\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(install, "LOG", tmp_path / "var" / "install.log")
    return tmp_path


def test_an_old_python_is_refused_with_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.version_info", (3, 9, 18))
    assert install.main("lock.txt") == 1
    assert capsys.readouterr().err == (
        "Slipway needs Python 3.11 or newer; this is 3.9.18. Try: make PYTHON=python3.12 …\n"
    )


def test_what_is_installed_is_left_alone_until_the_lock_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    monkeypatch.setattr(install, "_works", lambda python: True)

    def pip(lock: Path) -> bool:
        installed.append(lock.name)
        return True

    monkeypatch.setattr(install, "_install", pip)
    assert [install.main("lock.txt") for _ in range(3)] == [0, 0, 0]
    assert installed == ["lock.txt"]
    assert (folder / ".venv" / ".lock.installed").read_text() == hashlib.sha256(
        (folder / "lock.txt").read_bytes()
    ).hexdigest()
    (folder / "lock.txt").write_text("flask==3.1.4 \\\n    --hash=sha256:00\n")
    install.main("lock.txt")
    assert installed == ["lock.txt", "lock.txt"]


def test_a_failed_installation_shows_the_end_of_its_log_and_is_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A program that is no pip at all, where the environment's Python should be.
    python = folder / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\n[ "$3" = --version ] && exit 0\necho "ERROR: no such version"; exit 1\n')
    python.chmod(0o755)
    assert install.main("lock.txt") == 1
    assert "ERROR: no such version" in capsys.readouterr().err
    assert not (folder / ".venv" / ".lock.installed").exists()
