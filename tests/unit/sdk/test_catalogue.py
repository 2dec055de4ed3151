"""The catalogue: what it finds, and that it tells every fault at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.sdk import Catalogue, CatalogueError
from tests.unit.sdk.conftest import QUEUES, LoadAgents

GOOD = """
    from tasks.sdk import agent

    @agent
    def {name}(text: str) -> str:
        return text
"""


def test_agents_of_all_modules_are_found_in_the_order_of_their_names(load_agents: LoadAgents) -> None:
    catalogue = load_agents(one=GOOD.format(name="zebra"), two=GOOD.format(name="ant"))
    assert list(catalogue) == ["ant", "zebra"]
    assert len(catalogue) == 2
    assert catalogue["ant"].function("hello") == "hello"
    assert "bee" not in catalogue


def test_modules_with_a_leading_underscore_and_folders_are_left_out(load_agents: LoadAgents, tmp_path: Path) -> None:
    (tmp_path / "early").mkdir()
    catalogue = load_agents(_shared="raise RuntimeError('imported')", one=GOOD.format(name="ant"))
    package = next(path for path in tmp_path.iterdir() if (path / "_shared.py").exists())
    (package / "folder").mkdir()
    (package / "folder" / "__init__.py").write_text("raise RuntimeError('imported')")
    assert list(catalogue) == list(Catalogue.load(package.name, QUEUES)) == ["ant"]


def test_an_agent_that_another_module_imports_is_one_agent(load_agents: LoadAgents) -> None:
    assert list(load_agents(one=GOOD.format(name="ant"), two="from .one import ant\nalias = ant")) == ["ant"]


def test_an_agent_made_in_a_shared_module_is_found_where_it_is_named(load_agents: LoadAgents) -> None:
    shared = """
        from tasks.sdk import agent

        def make(word):
            @agent(name=word)
            def say(text: str) -> str:
                return word + text
            return say
    """
    catalogue = load_agents(_shared=shared, one="from ._shared import make\nhi, bye = make('hi'), make('bye')")
    assert list(catalogue) == ["bye", "hi"]


def test_two_agents_of_one_name_are_refused_with_both_places(load_agents: LoadAgents) -> None:
    with pytest.raises(CatalogueError) as refused:
        load_agents(one=GOOD.format(name="ant"), two=GOOD.format(name="ant"))
    (fault,) = refused.value.faults
    assert fault.agent == "ant"
    assert "two.py:4" in fault.source
    assert "one.py:4" in fault.problem
    assert "@agent(name=...)" in fault.fix


def test_an_agent_that_a_later_one_hides_is_not_lost_in_silence(load_agents: LoadAgents) -> None:
    with pytest.raises(CatalogueError, match=r"takes the place of the agent at .*one\.py:4"):
        load_agents(one=GOOD.format(name="ant") + GOOD.format(name="ant"))


def test_one_function_cannot_be_two_agents(load_agents: LoadAgents) -> None:
    source = """
        from tasks.sdk import agent

        def make():
            def say() -> str: ...
            return say

        said = make()
        a, b = agent(name="a")(said), agent(name="b")(said)
    """
    with pytest.raises(CatalogueError, match=r"takes the place of the agent at .*one\.py:5"):
        load_agents(one=source)


def test_a_function_made_inside_of_another_one_takes_nobodys_place(load_agents: LoadAgents) -> None:
    source = """
        from tasks.sdk import agent

        def make():
            @agent(name="inner")
            def say() -> str: ...
            return say

        @agent(name="outer")
        def say() -> str: ...

        made = make()
    """
    assert list(load_agents(one=source)) == ["inner", "outer"]


@pytest.mark.parametrize(
    ("source", "line", "problem", "fix"),
    [
        (
            "import os\nimport torch_of_nowhere.nn",
            2,
            "ModuleNotFoundError: No module named 'torch_of_nowhere'",
            "import torch_of_nowhere in the agent's setup function",
        ),
        ("def f(:\n    pass", 1, "SyntaxError", "correct it"),
        ("x = 1\n\ny = x / 0", 3, "ZeroDivisionError: division by zero", "correct it"),
        ("raise SystemExit(3)", 1, "SystemExit: 3", "correct it"),
        ("from tasks.sdk import agent\n@agent(colour=1)\ndef f() -> str: ...", 2, "colour", "correct it"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_the_reason(
    load_agents: LoadAgents, source: str, line: int, problem: str, fix: str
) -> None:
    with pytest.raises(CatalogueError) as refused:
        load_agents(broken=source, fine=GOOD.format(name="ant"))
    (fault,) = refused.value.faults
    assert fault.source.endswith(f"broken.py:{line}")
    assert problem in fault.problem
    assert fix in fault.fix


def test_a_missing_library_is_listed_where_workers_are_installed_from(load_agents: LoadAgents) -> None:
    with pytest.raises(CatalogueError, match=r"list it in agents_of_test_\d+/requirements\.in"):
        load_agents(broken="import torch_of_nowhere")


def test_a_package_that_cannot_be_imported_is_a_fault_too() -> None:
    with pytest.raises(CatalogueError, match="No module named 'agents_of_nowhere'"):
        Catalogue.load("agents_of_nowhere", QUEUES)
    with pytest.raises(CatalogueError, match="No module named 'of'"):
        Catalogue.load("of.nowhere", QUEUES)


def test_every_fault_of_every_module_is_told_at_once(load_agents: LoadAgents) -> None:
    bad = """
        from typing import Annotated
        from tasks.sdk import Param, agent

        @agent(queue="gpu", timeout=0)
        def Bad(text, *rest: str, count: Annotated[int, Param("Count", max_length=3)] = "x"):
            ...
    """
    with pytest.raises(CatalogueError) as refused:
        load_agents(bad=bad, broken="import torch_of_nowhere", worse=GOOD.format(name="_"))
    assert [(Path(fault.source).name, fault.agent, fault.parameter) for fault in refused.value.faults] == [
        ("broken.py:1", "", ""),
        ("bad.py:5", "Bad", ""),
        ("bad.py:5", "Bad", ""),
        ("bad.py:5", "Bad", ""),
        ("bad.py:5", "Bad", "text"),
        ("bad.py:5", "Bad", "rest"),
        ("bad.py:5", "Bad", "count"),
        ("bad.py:5", "Bad", ""),
        ("worse.py:4", "_", ""),
    ]


def test_the_message_has_a_line_for_each_fault_with_place_agent_parameter_and_fix(load_agents: LoadAgents) -> None:
    source = "from tasks.sdk import agent\n\n@agent\ndef ant(text, size) -> str: ..."
    with pytest.raises(CatalogueError) as refused:
        load_agents(one=source)
    first, *lines = str(refused.value).splitlines()
    assert re.fullmatch(r"2 faults in the agents of agents_of_test_\d+:", first)
    assert re.fullmatch(
        r"  \S+one\.py:3: agent 'ant', parameter 'text': has no type\. Fix: annotate it, as `text: str`\.", lines[0]
    )
    assert len(lines) == 2


def test_places_are_relative_to_the_working_directory(
    load_agents: LoadAgents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (found,) = load_agents(one=GOOD.format(name="ant")).values()
    assert re.fullmatch(r"agents_of_test_\d+/one\.py:4", found.source)
