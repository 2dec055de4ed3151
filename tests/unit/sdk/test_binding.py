"""From a JSON payload to keyword arguments: strict, and with the path of what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.sdk import Agent, File, Param, Parameter, PayloadError, Scalar
from tasks.sdk.binding import bind
from tasks.sdk.testing import fake_file

LoadAgent = Callable[[str], Agent]
STORED = {"name": "a.txt", "media_type": "text/plain", "size": 5, "key": "job/1/a.txt"}

SOURCE = """
@dataclass
class Inner:
    size: Annotated[int, Param("Size", ge=1, le=9)] = 3

    def __post_init__(self) -> None:
        if self.size == 7:
            raise ValueError("seven is taken")

@dataclass
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    more: list[Inner] = field(default_factory=list)

@agent
def ant(
    text: Annotated[str, Param("Text", min_length=1)] = "text",
    whole: int = 1,
    number: Annotated[float, Param("Number", le=100)] = 1.0,
    flag: bool = False,
    choice: Literal["a", 1, True] = "a",
    maybe: str | None = None,
    items: Annotated[list[Annotated[str, Param("Item", max_length=3)]], Param("Items", max_length=2)] = ["x"],
    gaps: list[int | None] = [],
    outer: Outer | None = None,
    file: File | None = None,
) -> str: ...
"""


@pytest.fixture
def ant(load_agent: LoadAgent) -> Agent:
    return load_agent(SOURCE)


def open_file(stored: Mapping[str, Any]) -> File:
    return fake_file("hello", stored["name"], stored["media_type"])


def test_what_is_left_out_has_its_default(ant: Agent) -> None:
    assert ant.bind({}, open_file) == {
        "text": "text",
        "whole": 1,
        "number": 1.0,
        "flag": False,
        "choice": "a",
        "maybe": None,
        "items": ["x"],
        "gaps": [],
        "outer": None,
        "file": None,
    }


def test_a_default_that_an_agent_changes_is_whole_again_for_the_next_job(ant: Agent) -> None:
    ant.bind({}, open_file)["items"].append("y")
    assert ant.bind({}, open_file)["items"] == ["x"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "ü"),
        ("whole", -3),
        ("number", 0.5),
        ("flag", True),
        ("choice", "a"),
        ("choice", 1),
        ("choice", True),
        ("maybe", "x"),
        ("maybe", None),
        ("items", []),
        ("items", ["a", "b"]),
        ("gaps", [1, None]),
    ],
)
def test_a_good_value_arrives_as_it_is(ant: Agent, name: str, value: Any) -> None:
    bound = ant.bind({name: value}, open_file)[name]
    assert bound == value
    assert type(bound) is type(value)


def test_a_whole_number_is_a_float_where_one_is_wanted(ant: Agent) -> None:
    assert type(ant.bind({"number": 2}, open_file)["number"]) is float


def test_dataclasses_are_built_with_what_they_hold(ant: Agent) -> None:
    outer = ant.bind({"outer": {"name": "n", "more": [{"size": 5}, {}]}}, open_file)["outer"]
    assert repr(outer) == "Outer(name='n', inner=Inner(size=3), more=[Inner(size=5), Inner(size=3)])"
    assert ant.bind({"outer": {"name": "n", "inner": {"size": 9}}}, open_file)["outer"].inner.size == 9


def test_a_stored_file_is_opened(ant: Agent) -> None:
    file = ant.bind({"file": STORED}, open_file)["file"]
    assert (file.name, file.text()) == ("a.txt", "hello")


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ([], "must be an object"),
        ({"colour": "red"}, "colour is unknown; known are: text, whole, number, flag, "),
        ({"text": 1}, "text must be text"),
        ({"text": None}, "text must not be null"),
        ({"text": ""}, "text must have at least 1 character"),
        ({"text": "\ud83d"}, "text must be valid Unicode text"),
        ({"whole": True}, "whole must be a whole number"),
        ({"whole": 1.0}, "whole must be a whole number"),
        ({"whole": "1"}, "whole must be a whole number"),
        ({"number": True}, "number must be a number"),
        ({"number": "1"}, "number must be a number"),
        ({"number": 101}, "number must be at most 100"),
        ({"number": math.nan}, "number must be a finite number"),
        ({"number": -math.inf}, "number must be a finite number"),
        ({"number": 10**400}, "number must be a finite number"),
        ({"flag": 1}, "flag must be true or false"),
        ({"flag": "true"}, "flag must be true or false"),
        ({"choice": "b"}, 'choice must be one of "a", 1, true'),
        ({"choice": 1.0}, 'choice must be one of "a", 1, true'),
        ({"choice": []}, 'choice must be one of "a", 1, true'),
        ({"items": "ab"}, "items must be a list"),
        ({"items": {"0": "a"}}, "items must be a list"),
        ({"items": ["a", "b", "c"]}, "items must have at most 2 items"),
        ({"items": ["a", 1]}, "items[1] must be text"),
        ({"items": ["long"]}, "items[0] must have at most 3 characters"),
        ({"items": [None]}, "items[0] must not be null"),
        ({"gaps": [None, True]}, "gaps[1] must be a whole number"),
        ({"outer": {}}, "outer.name is missing"),
        ({"outer": []}, "outer must be an object"),
        ({"outer": {"name": "n", "inner": None}}, "outer.inner must not be null"),
        ({"outer": {"name": "n", "more": [{}, {"size": 0}]}}, "outer.more[1].size must be at least 1"),
        ({"outer": {"name": "n", "more": [{"colour": 1}]}}, "outer.more[0].colour is unknown; known are: size"),
        ({"outer": {"name": "n", "inner": {"size": 7}}}, "outer.inner is refused: seven is taken"),
        ({"file": "a.txt"}, "file must be an uploaded file"),
        ({"file": {**STORED, "size": "5"}}, "file must be an uploaded file"),
        ({"file": {**STORED, "path": "/etc/passwd"}}, "file must be an uploaded file"),
        ({"file": {"name": "a.txt"}}, "file must be an uploaded file"),
        ({"whole": "x", "flag": "y"}, "whole must be a whole number; flag must be true or false"),
    ],
)
def test_a_bad_payload_is_refused_with_the_path(ant: Agent, payload: Any, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the message is what this test is about
        ant.bind(payload, open_file)
    assert str(refused.value).startswith(message)


def test_a_required_parameter_that_is_left_out_is_missing(load_agent: LoadAgent) -> None:
    with pytest.raises(PayloadError) as refused:
        load_agent("@agent\ndef ant(text: str, size: int) -> str: ...").bind({"size": 1}, open_file)
    assert [(fault.path, str(fault)) for fault in refused.value.faults] == [(("text",), "text is missing")]


def test_an_agent_without_parameters_takes_an_empty_object(load_agent: LoadAgent) -> None:
    found = load_agent("@agent\ndef ant() -> str: ...")
    assert found.bind({}, open_file) == {}
    with pytest.raises(PayloadError, match="x is unknown; known are: none"):
        found.bind({"x": 1}, open_file)


def test_a_long_list_of_faults_is_cut(ant: Agent) -> None:
    with pytest.raises(PayloadError) as refused:
        ant.bind({"gaps": ["x"] * 100_000, "colour" * 1000: 1}, open_file)
    assert len(refused.value.faults) == 20
    assert len(str(refused.value)) < 2_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "size", "name"]), inner),
    max_leaves=5,
)


# A loaded machine is no failure, and nothing is kept between runs.
@settings(deadline=None, database=None)
@given(value=JSON)
@pytest.mark.parametrize("kind", [str, int, float, bool])
def test_a_bound_value_always_has_the_declared_type(kind: type, value: Any) -> None:
    parameter = Parameter(type=Scalar(kind), nullable=True, param=Param(), name="it")
    try:
        bound = bind([parameter], {"it": value}, open_file)["it"]
    except ValueError:
        return
    assert bound is None or type(bound) is kind
    assert bound == value
