from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.new_agent import AgentNameError, new_agent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tasks" / "agents").mkdir(parents=True)
    (tmp_path / "tests" / "unit" / "agents").mkdir(parents=True)
    return tmp_path


def test_an_agent_and_its_test_are_written(project: Path) -> None:
    agent, test = new_agent(project, "translate_text")
    assert str(agent) == "tasks/agents/translate_text.py"
    assert "def translate_text(" in (project / agent).read_text()
    assert '"""Translate text: ' in (project / agent).read_text()
    assert "from tasks.agents.translate_text import translate_text" in (project / test).read_text()


@pytest.mark.parametrize("name", ["", "Translate", "my-agent", "_hidden", "1st", "class", "../x", "a" * 65])
def test_what_is_no_name_is_refused(project: Path, name: str) -> None:
    with pytest.raises(AgentNameError, match="is no name of a function"):
        new_agent(project, name)


@pytest.mark.parametrize("place", ["tasks/agents/translate.py", "tests/unit/agents/test_translate.py"])
def test_nothing_is_written_over(project: Path, place: str) -> None:
    (project / place).write_text("mine")
    with pytest.raises(AgentNameError, match=f"{place} is there already"):
        new_agent(project, "translate")
    assert (project / place).read_text() == "mine"
    assert [path for path in project.rglob("*.py") if path != project / place] == []
