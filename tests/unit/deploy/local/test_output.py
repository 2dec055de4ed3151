from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.output import Output


def test_lines_are_shown_once_each_and_with_the_name_of_who_wrote_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    web, worker = tmp_path / "web.log", tmp_path / "worker.log"
    output = Output({"web": web, "worker": worker})
    output.show()
    assert capsys.readouterr().out == ""

    web.write_bytes(b"one\ntw")
    worker.write_bytes(b"\xff\n")
    output.show()
    assert lines(capsys) == ["web    | one", "worker | \N{REPLACEMENT CHARACTER}"]

    web.write_bytes(b"one\ntwo\n")
    output.show()
    output.show()
    assert lines(capsys) == ["web    | two"]


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed, without the time in front."""
    return [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
