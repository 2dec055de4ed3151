"""Examples are sent by people who try the service, so they must be good ones."""

from __future__ import annotations

import pytest

from tasks.sdk import Catalogue, Param, Parameter, Scalar
from tasks.sdk.limits import broken_limits
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.examples import example, example_input


@pytest.mark.parametrize("name", ["ai_service", "ai_service_binary", "every_type"])
def test_the_example_of_an_input_is_valid(catalogue: Catalogue, name: str) -> None:
    InputSchemas().json(catalogue[name]).load(example_input(catalogue[name]))


def test_an_agents_own_example_is_shown(catalogue: Catalogue) -> None:
    assert example_input(catalogue["ai_service"]) == {"param1": "A short text."}


@pytest.mark.parametrize(
    ("kind", "param"),
    [
        (str, Param(min_length=30)),
        (str, Param(max_length=2)),
        (int, Param(ge=5)),
        (int, Param(le=-5)),
        (float, Param(ge=0.5, le=0.75)),
        (bool, Param()),
    ],
)
def test_a_made_up_example_keeps_the_limits(kind: type, param: Param) -> None:
    made_up = example(Parameter(name="p", type=Scalar(kind), param=param))
    assert type(made_up) is kind
    assert list(broken_limits(made_up, param)) == []
