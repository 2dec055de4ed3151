from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.rename import RenameError, rename


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "deploy" / "units").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "slipway"\n')
    (tmp_path / "deploy" / "units" / "slipway-web.service").write_text("User=slipway\r\nDescription=Slipway web\r\n")
    (tmp_path / "README.md").write_text("# Slipway\n\n`SLIPWAY_HOME`, not a harbour\n")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG slipway \xff")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("slipway")
    return tmp_path


def test_the_name_is_replaced_in_every_text_and_file_name(project: Path) -> None:
    assert rename(project, "harbour") == 3
    assert (project / "pyproject.toml").read_text() == '[project]\nname = "harbour"\n'
    unit = project / "deploy" / "units" / "harbour-web.service"
    assert unit.read_bytes() == b"User=harbour\r\nDescription=Harbour web\r\n"
    assert (project / "README.md").read_text() == "# Harbour\n\n`HARBOUR_HOME`, not a harbour\n"


def test_what_is_no_text_and_what_git_keeps_is_left_alone(project: Path) -> None:
    rename(project, "harbour")
    assert b"slipway" in (project / "logo.png").read_bytes()
    assert (project / ".git" / "config").read_text() == "slipway"


def test_a_project_can_be_renamed_again(project: Path) -> None:
    rename(project, "harbour")
    assert rename(project, "quay") == 3
    assert (project / "deploy" / "units" / "quay-web.service").exists()


@pytest.mark.parametrize("name", ["", "A", "a", "Acme", "acme-ai", "1acme", "a" * 31, "héron", "../x"])
def test_what_is_no_name_is_refused_and_nothing_is_changed(project: Path, name: str) -> None:
    before = (project / "pyproject.toml").read_text()
    with pytest.raises(RenameError, match="lowercase letters and digits"):
        rename(project, name)
    assert (project / "pyproject.toml").read_text() == before


def test_a_word_of_the_code_is_refused(project: Path) -> None:
    with pytest.raises(
        RenameError, match=r"user is a word of the project already \(deploy/units/slipway-web.service\)"
    ):
        rename(project, "user")


def test_the_name_that_it_has_is_refused(project: Path) -> None:
    with pytest.raises(RenameError, match="is called slipway already"):
        rename(project, "slipway")
