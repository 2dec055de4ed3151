"""Definitions of pipelines: what they may say, and which models they mean."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tasks.pipelines.definition import Definition, written
from tasks.pipelines.description import Batching, Model, Step, Tensor, wiring_fault

TEXT, MAIN, TWICE = (Tensor(name, "float", (None, 1)) for name in ("text", "main", "twice"))
FIRST = Model(1, "one", "v1", "a" * 64, 1, "one.onnx", 1, "", (TEXT,), (MAIN,))
NEWER = dataclasses.replace(FIRST, id=2, version="v2", sha="b" * 64)
SECOND = dataclasses.replace(FIRST, id=3, name="two", inputs=(MAIN,), outputs=(TWICE,))


def test_what_was_written_is_read_again() -> None:
    definition = Definition.read(written([[NEWER, FIRST], [SECOND]], ["twice < 1"], Batching(8, 0.5)))
    assert definition.resolve([FIRST, NEWER, SECOND]) == (Step(NEWER, (FIRST,)), Step(SECOND))
    assert definition.checks == ("twice < 1",)
    assert definition.checked_outputs == {"twice"}
    assert definition.batching == Batching(8, 0.5)


def test_without_a_version_the_latest_is_meant() -> None:
    definition = Definition.read([{"ModelInference": {"models": [{"name": "one"}, {"name": "one", "sha": FIRST.sha}]}}])
    assert definition.resolve([FIRST, NEWER]) == (Step(NEWER, (FIRST,)),)
    with pytest.raises(ValueError, match="no such model one"):
        definition.resolve([SECOND])


@pytest.mark.parametrize("definition", [{}, [], {"steps": []}, {"steps": None}])
def test_a_definition_may_leave_its_steps_to_the_deployment(definition: Any) -> None:
    assert Definition.read(definition) == Definition()


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({"stages": []}, "stages is unknown"),
        ({"steps": {}}, ""),
        ({"steps": "x"}, "must be a list"),
        ([7], "each step"),
        ([{"Eval": {}}], "each step"),
        ([{"ModelInference": {"models": [{"name": "a"}]}, "Check": {}}], "each step"),
        ([{"ModelInference": {"models": []}}], "1 to 10 models"),
        ([{"ModelInference": {"models": [{"sha": "a"}]}}], "with its name"),
        ([{"ModelInference": {"models": [{"name": "a"}] * 11}}], "1 to 10 models"),
        ([{"ModelInference": {"models": [{"name": "a"}]}}] * 21, "at most"),
        ([{"Check": {}}], "must have an expr"),
        ([{"Check": {"expr": "main"}}], "is no check"),
        ({"batching": []}, ""),
        ({"batching": {"most": 1}}, "max_batch and max_delay"),
        ({"batching": {"max_batch": 0}}, "max_batch must be"),
        ({"batching": {"max_batch": True}}, "max_batch must be"),
        ({"batching": {"max_batch": 2, "max_delay": 60}}, "max_delay must be"),
        ({"batching": {"max_delay": "1"}}, "max_delay must be"),
    ],
)
def test_what_is_wrong_is_said(definition: Any, told: str) -> None:
    if not told:
        assert Definition.read(definition) == Definition()
        return
    with pytest.raises(ValueError, match=r".*") as raised:
        Definition.read(definition)
    assert told in str(raised.value)


def test_models_are_wired_by_the_names_of_their_inputs() -> None:
    assert wiring_fault([Step(FIRST), Step(SECOND)]) == ""
    assert "needs the input main" in wiring_fault([Step(FIRST, (SECOND,))])
    assert "needs the input main" in wiring_fault([Step(dataclasses.replace(FIRST, outputs=(TWICE,))), Step(SECOND)])
