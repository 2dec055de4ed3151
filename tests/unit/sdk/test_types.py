"""What is read from the types of a signature."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.sdk import Agent, Choice, ListOf, Param, Parameter, Record, ReturnKind, Scalar, Slot, Upload

LoadAgent = Callable[[str], Agent]

LIMITED = Param("Some", min_length=1)


@pytest.mark.parametrize(
    ("annotation", "slot"),
    [
        ("str", Slot(Scalar(str))),
        ("int", Slot(Scalar(int))),
        ("float", Slot(Scalar(float))),
        ("bool", Slot(Scalar(bool))),
        ("File", Slot(Upload())),
        ('Literal["a", "b"]', Slot(Choice(("a", "b")))),
        ('Literal["a", 1, True]', Slot(Choice(("a", 1, True)))),
        ('Literal["a", None]', Slot(Choice(("a",)), nullable=True)),
        ("list[str]", Slot(ListOf(Slot(Scalar(str))))),
        ("List[str]", Slot(ListOf(Slot(Scalar(str))))),
        ("list[list[int | None]]", Slot(ListOf(Slot(ListOf(Slot(Scalar(int), nullable=True)))))),
        ("list[File]", Slot(ListOf(Slot(Upload())))),
        ("str | None", Slot(Scalar(str), nullable=True)),
        ("Optional[str]", Slot(Scalar(str), nullable=True)),
        ("Union[None, str]", Slot(Scalar(str), nullable=True)),
        ("File | None", Slot(Upload(), nullable=True)),
        ('Annotated[str, "a note of somebody else"]', Slot(Scalar(str))),
        ('Annotated[str, Param("Some", min_length=1)]', Slot(Scalar(str), param=LIMITED)),
        ('Annotated[str | None, Param("Some", min_length=1)]', Slot(Scalar(str), True, LIMITED)),
        ('Annotated[str, Param("Some", min_length=1)] | None', Slot(Scalar(str), True, LIMITED)),
        ('Optional[Annotated[str, Param("Some", min_length=1)]]', Slot(Scalar(str), True, LIMITED)),
        ('list[Annotated[str, Param("Some", min_length=1)]]', Slot(ListOf(Slot(Scalar(str), param=LIMITED)))),
        (
            'Annotated[list[str], Param("Some", min_length=1)]',
            Slot(ListOf(Slot(Scalar(str))), param=LIMITED),
        ),
    ],
)
def test_a_type_is_read(load_agent: LoadAgent, annotation: str, slot: Slot) -> None:
    (parameter,) = load_agent(f"@agent\ndef ant(it: {annotation}) -> str: ...").parameters
    assert Slot(parameter.type, parameter.nullable, parameter.param) == slot
    assert parameter.required


def test_the_same_is_read_from_annotations_that_are_no_text(load_agents: Callable[..., dict[str, Agent]]) -> None:
    source = """
        from typing import Annotated, Optional
        from tasks.sdk import Context, Param, agent

        @agent
        def ant(context: Context, it: Annotated[Optional["int"], Param("It", ge=1)] = 2) -> "str": ...
    """
    (parameter,) = load_agents(one=source)["ant"].parameters
    assert parameter == Parameter(
        type=Scalar(int), nullable=True, param=Param("It", ge=1), name="it", required=False, default=2
    )


def test_types_that_are_declared_further_down_are_found(load_agent: LoadAgent) -> None:
    found = load_agent("@agent\ndef ant(it: Later) -> str: ...\n\n@dataclass\nclass Later:\n    size: int")
    assert isinstance(found.parameters[0].type, Record)


def test_examples_may_be_of_types_that_cannot_be_hashed(load_agent: LoadAgent) -> None:
    found = load_agent('@agent\ndef ant(it: Optional[Annotated[list[int], Param("It", examples=[[1]])]]) -> str: ...')
    assert found.parameters[0].param.examples == [[1]]


def test_a_dataclass_is_read_with_its_fields_their_defaults_and_limits(load_agent: LoadAgent) -> None:
    found = load_agent("""
        @dataclass(kw_only=True)
        class Inner:
            size: Annotated[int, Param("Size", ge=1)] = 3
            tone: Literal["plain", "formal"] | None = None

        @dataclass
        class Outer:
            name: str
            inner: Inner
            tags: list[str] = field(default_factory=lambda: ["new"])
            length: int = field(init=False, default=0)

        @agent
        def ant(it: Outer) -> Outer: ...
    """)
    outer = found.parameters[0].type
    assert isinstance(outer, Record)
    assert outer.dataclass.__name__ == "Outer"
    assert [(each.name, each.required, each.default) for each in outer.fields] == [
        ("name", True, None),
        ("inner", True, None),
        ("tags", False, ["new"]),
    ]
    inner = outer.fields[1].type
    assert isinstance(inner, Record)
    assert inner.fields == (
        Parameter(type=Scalar(int), param=Param("Size", ge=1), name="size", required=False, default=3),
        Parameter(type=Choice(("plain", "formal")), nullable=True, name="tone", required=False, default=None),
    )
    assert found.returns.record == outer


def test_the_same_dataclass_may_stand_in_two_places(load_agent: LoadAgent) -> None:
    found = load_agent("@dataclass\nclass A:\n    x: int\n@agent\ndef ant(a: A, b: A, c: list[A]) -> A: ...")
    assert found.parameters[0].type == found.parameters[1].type == found.returns.record


@pytest.mark.parametrize(
    ("annotation", "body", "kind"),
    [
        ("str", "return ''", ReturnKind.TEXT),
        ("Artifact", "return Artifact('a', 'b', 1)", ReturnKind.ARTIFACT),
        ("Iterator[str]", "yield ''", ReturnKind.TOKENS),
        ("Iterator[str]", "return iter(())", ReturnKind.TOKENS),
        ("Iterable[str]", "yield ''", ReturnKind.TOKENS),
        ("Generator[str, None, None]", "yield ''", ReturnKind.TOKENS),
        ("typing.Iterator[str]", "yield ''", ReturnKind.TOKENS),
    ],
)
def test_an_answer_is_read(load_agent: LoadAgent, annotation: str, body: str, kind: ReturnKind) -> None:
    returns = load_agent(f"@agent\ndef ant() -> {annotation}:\n    {body}").returns
    assert (returns.kind, returns.record, returns.streams) == (kind, None, kind is ReturnKind.TOKENS)


def test_a_function_that_another_decorator_wraps_keeps_its_signature(load_agent: LoadAgent) -> None:
    found = load_agent("""
        import functools

        def shout(function):
            @functools.wraps(function)
            def wrapper(*args, **kwargs):
                return function(*args, **kwargs).upper()
            return wrapper

        @shout
        @agent
        def ant(text: str) -> str:
            return text
    """)
    assert [parameter.name for parameter in found.parameters] == ["text"]
    assert found.function("hello") == "HELLO"
