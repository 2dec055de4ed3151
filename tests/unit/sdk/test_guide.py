"""The examples of the guide work as they are written."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tasks.sdk import Catalogue, CatalogueError, ReturnKind
from tests.unit.sdk.conftest import LoadAgents

GUIDE = (Path(__file__).parents[3] / "docs" / "agents.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL))
AGENTS = {Path(path).stem: f"# {path}\n{code}" for path, code in BLOCKS.items() if path.startswith("tasks/agents/")}
(TESTS,) = (code for path, code in BLOCKS.items() if path.startswith("tests/"))
TEST_NAMES = re.findall(r"^def (test_\w+)", TESTS, re.MULTILINE)


def test_every_agent_of_the_guide_is_served(load_agents: LoadAgents) -> None:
    catalogue = load_agents(**AGENTS)
    assert {name: agent.returns.kind for name, agent in catalogue.items()} == {
        "compare": ReturnKind.TEXT,
        "digest": ReturnKind.ARTIFACT,
        "gather": ReturnKind.TOKENS,
        "keywords": ReturnKind.OBJECT,
        "polish": ReturnKind.TOKENS,
    }


def test_the_first_agent_answers_as_the_guide_says(load_agents: LoadAgents) -> None:
    keywords = load_agents(**AGENTS)["keywords"]
    payload = {"text": "to be or not to be, that is the question"}
    answer = keywords.function(**keywords.bind(payload, lambda stored: pytest.fail(f"opened {stored}")))
    assert keywords.encode(answer) == {"words": ["that", "question"], "total": 2}
    assert keywords.summary == "Find the words that a text uses most."
    assert keywords.description == "Words of three letters or fewer are left out."


def test_the_faults_in_the_guide_are_the_ones_that_are_told(
    load_agents: LoadAgents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    keywords = AGENTS["keywords"].replace("] = 5,", "] = 99,")
    translate = "from tasks.sdk import agent\n" + "\n" * 7 + "@agent\ndef translate(text) -> str: ..."
    with pytest.raises(CatalogueError) as refused:
        load_agents(keywords=keywords, translate=translate)
    package = next(path.name for path in tmp_path.iterdir())
    told = str(refused.value).replace(f"{package}/", "tasks/agents/").replace(package, "tasks.agents")
    assert f"```text\n{told}\n```" in GUIDE


@pytest.fixture
def shown_tests(load_agents: LoadAgents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tests that the guide shows, which import the agents that it shows."""
    catalogue: Catalogue = load_agents(**AGENTS)
    for name, found in catalogue.items():
        monkeypatch.setitem(sys.modules, f"tasks.agents.{name}", sys.modules[found.function.__module__])
    # `load_agents` has put this folder on the path.
    (tmp_path / f"{tmp_path.name}_tests.py").write_text(TESTS, encoding="utf-8")
    return importlib.import_module(f"{tmp_path.name}_tests")


@pytest.mark.parametrize("name", TEST_NAMES)
def test_a_test_of_the_guide_passes(shown_tests: ModuleType, name: str) -> None:
    getattr(shown_tests, name)()
