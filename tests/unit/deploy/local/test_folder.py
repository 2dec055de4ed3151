from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local import folder
from deploy.local.folder import claim
from deploy.local.processes import StackError


def test_a_folder_belongs_to_one_and_the_other_learns_to_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PATIENCE", 0.0)
    told = rf"Another stack runs in .* \(process {os.getpid()}\)"
    with claim(tmp_path), pytest.raises(StackError, match=told), claim(tmp_path):
        pytest.fail("both have it")
    with claim(tmp_path):
        pass


def test_what_a_killed_owner_left_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("12345")
    with claim(tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
