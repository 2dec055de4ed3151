from __future__ import annotations

import io
import re

import pytest

from deploy.local import steps
from deploy.local.steps import Step


class Terminal(io.TextIOWrapper):
    """Something that looks like a terminal; what was written to it is kept."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


def test_without_a_terminal_a_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Step("starting"):
        pass
    assert re.fullmatch(r"starting  done \(0\.\d s\)\n", capsys.readouterr().out)


def test_dots_show_that_time_passes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "PULSE", 0.01)
    shown = ""
    with Step("waiting"):
        while "..." not in shown:
            shown += capsys.readouterr().out
    assert shown.startswith("waiting ...")


def test_on_a_terminal_the_line_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal("utf-8")
    monkeypatch.setattr("sys.stdout", terminal)
    with Step("starting"):
        pass
    assert re.search(r"\r\033\[K✓ starting \(0\.\d s\)\n$", terminal.shown)


def test_a_step_that_fails_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="no space"), Step("writing"):
        raise OSError("no space")
    assert "writing  failed (" in capsys.readouterr().out


def test_a_terminal_that_knows_ascii_only_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal("ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    with Step("starting"):
        pass
    assert "? starting (0." in terminal.shown
