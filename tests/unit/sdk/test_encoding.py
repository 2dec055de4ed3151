"""From what an agent returned to JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from tasks.sdk import Agent, AgentError, Artifact, ResultError, ReturnKind, Returns, encode_result

LoadAgent = Callable[[str], Agent]

SOURCE = """
@dataclass
class Inner:
    score: float

@dataclass
class Outer:
    label: Literal["cat", "dog"] = "cat"
    count: int = 1
    sure: bool = True
    inner: Inner = field(default_factory=lambda: Inner(0.5))
    more: list[Inner] = field(default_factory=list)
    vector: list[float] = field(default_factory=list)
    note: str | None = None
    level: Literal[1, 2] = 1

@agent
def ant() -> Outer: ...
"""


@dataclass
class Numeric:
    """Behaves as numbers and arrays of numerical libraries do."""

    content: Any

    def tolist(self) -> Any:
        return self.content


class Animal(str, Enum):  # noqa: UP042 - the older kind, whose str() is its name
    CAT = "cat"


@pytest.fixture
def ant(load_agent: LoadAgent) -> Agent:
    return load_agent(SOURCE)


def build(ant: Agent, **fields: Any) -> Any:
    record = ant.returns.record
    assert record is not None
    return record.dataclass(**fields)


def inner(ant: Agent, score: Any) -> Any:
    return type(build(ant).inner)(score)


def test_dataclasses_become_objects_all_the_way_down(ant: Agent) -> None:
    encoded = ant.encode(build(ant, more=[inner(ant, 1.5)], note="n"))
    assert json.loads(json.dumps(encoded)) == {
        "label": "cat",
        "count": 1,
        "sure": True,
        "inner": {"score": 0.5},
        "more": [{"score": 1.5}],
        "vector": [],
        "note": "n",
        "level": 1,
    }


def test_numbers_and_arrays_of_numerical_libraries_become_plain(ant: Agent) -> None:
    fields = {"count": Numeric(3), "level": Numeric(2), "sure": Numeric(False), "vector": Numeric([1.5, 2])}
    encoded = ant.encode(build(ant, inner=inner(ant, Numeric(0.25)), **fields))
    assert {name: encoded[name] for name in fields} == {"count": 3, "level": 2, "sure": False, "vector": [1.5, 2.0]}
    assert encoded["inner"] == {"score": 0.25}
    assert [type(each) for each in encoded["vector"]] == [float, float]


def test_a_tuple_is_a_list_and_a_whole_number_a_float(ant: Agent) -> None:
    encoded = ant.encode(build(ant, vector=(1, 2.5)))
    assert encoded["vector"] == [1.0, 2.5]
    assert type(encoded["vector"][0]) is float


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"label": "cow"}, 'The result.label must be one of "cat", "dog", but is str.'),
        ({"label": None}, 'The result.label must be one of "cat", "dog", but is NoneType.'),
        ({"level": True}, "The result.level must be one of 1, 2, but is bool."),
        ({"count": "1"}, "The result.count must be a whole number, but is str."),
        ({"count": True}, "The result.count must be a whole number, but is bool."),
        ({"count": 1.0}, "The result.count must be a whole number, but is float."),
        ({"sure": 1}, "The result.sure must be true or false, but is int."),
        ({"inner": {"score": 1}}, "The result.inner must be the dataclass Inner, but is dict."),
        ({"inner": None}, "The result.inner must be the dataclass Inner, but is NoneType."),
        ({"more": [None]}, "The result.more[0] must be the dataclass Inner, but is NoneType."),
        ({"more": {}}, "The result.more must be a list, but is dict."),
        ({"vector": "12"}, "The result.vector must be a list, but is str."),
        ({"vector": [1.0, float("nan")]}, "The result.vector[1] is nan, which JSON cannot say."),
        ({"vector": [10**400]}, "The result.vector[0] is inf, which JSON cannot say."),
        ({"note": b"n"}, "The result.note must be text, but is bytes."),
        ({"note": "\ud83d"}, "The result.note holds half of a surrogate pair, which is no text."),
    ],
)
def test_what_was_not_declared_is_refused_with_its_path(ant: Agent, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ResultError) as refused:
        ant.encode(build(ant, **fields))
    assert refused.value.detail == message
    assert refused.value.code == "invalid_result"
    assert isinstance(refused.value, AgentError)


@pytest.mark.parametrize("kind", [ReturnKind.TEXT, ReturnKind.TOKENS])
def test_text_stays_text(kind: ReturnKind) -> None:
    assert encode_result("hello", Returns(kind)) == "hello"
    assert type(encode_result(Animal.CAT, Returns(kind))) is str
    assert encode_result(Animal.CAT, Returns(kind)) == "cat"
    with pytest.raises(ResultError, match="The result must be text, but is NoneType"):
        encode_result(None, Returns(kind))


def test_an_artifact_is_named_with_its_type_and_size() -> None:
    returns = Returns(ReturnKind.ARTIFACT)
    encoded = encode_result(Artifact("a.pdf", "application/pdf", 3), returns)
    assert encoded == {"name": "a.pdf", "media_type": "application/pdf", "size": 3}
    with pytest.raises(ResultError, match="The result must be an artifact, but is str"):
        encode_result("a.pdf", returns)
