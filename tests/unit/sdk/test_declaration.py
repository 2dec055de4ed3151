"""The decorator marks a function and leaves it what it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_overloads

import pytest

from tasks.sdk import agent
from tasks.sdk.declaration import Declaration, declaration_of


@pytest.fixture
def double() -> Callable[[str], str]:
    def double(text: str) -> str:
        return text * 2

    return double


@pytest.mark.parametrize("decorate", [agent, agent(), agent(queue="cpu")])
def test_a_decorated_function_is_the_same_function(decorate: Any, double: Callable[[str], str]) -> None:
    assert decorate(double) is double
    assert double("ab") == "abab"


def test_the_declaration_says_what_the_decorator_was_told(double: Callable[[str], str]) -> None:
    marked = agent(queue="cpu", timeout=5, name="twice")(double)
    assert declaration_of(marked) == Declaration(name="twice", queue="cpu", timeout=5)


def test_the_name_of_the_function_is_the_default_name(double: Callable[[str], str]) -> None:
    assert declaration_of(agent(double)) == Declaration(name="double")


def test_what_is_no_agent_has_no_declaration() -> None:
    class Odd:
        def __getattr__(self, name: str) -> str:
            return name

    assert [declaration_of(each) for each in (inspect, 3, None, Odd(), Odd)] == [None] * 5


def test_a_subclass_of_a_marked_class_is_not_marked() -> None:
    class Base: ...

    class Derived(agent(Base)): ...  # type: ignore[misc]

    assert declaration_of(Base) is not None
    assert declaration_of(Derived) is None


def test_the_defaults_that_an_editor_shows_are_the_ones_that_hold() -> None:
    _, configured = get_overloads(agent)
    shown = {name: each.default for name, each in inspect.signature(configured).parameters.items() if name != "name"}
    declared = {name: each.default for name, each in inspect.signature(Declaration).parameters.items()}
    assert shown == {name: declared[name] for name in shown}
