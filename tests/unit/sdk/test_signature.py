"""Signatures that are refused, each with its parameter, the problem and the fix."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.sdk import Agent, Fault

FaultsOf = Callable[[str], tuple[Fault, ...]]

DATACLASSES = """
@dataclass
class Inner:
    size: Annotated[int, Param("Size", ge=1)] = 1

@dataclass
class Outer:
    inner: Inner
    names: list[str] = field(default_factory=list)

@dataclass
class Tree:
    children: list[Tree]

@dataclass
class Handmade:
    size: int
    factor: InitVar[int]

@dataclass
class Attached:
    file: File

@dataclass
class Unknown:
    size: Sizes

@dataclass
class Twice:
    a: bytes
    b: datetime.date

@dataclass
class Late:
    size: Annotated[int, Param("Size", le=5)] = 9

@dataclass
class Broken:
    sizes: list[int] = field(default_factory=lambda: 1 / 0)

T = typing.TypeVar("T")

@dataclass
class Page(typing.Generic[T]):
    content: T

class Colour(enum.Enum):
    RED = "red"
"""


@pytest.mark.parametrize(
    ("parameter", "name", "problem", "fix"),
    [
        ("text", "text", "has no type", "`text: str`"),
        ("*texts: str", "texts", "is *texts", "name each parameter"),
        ("**texts: str", "texts", "is **texts", "name each parameter"),
        ("text: str, /", "text", "positional-only", "remove the `/`"),
        ("_text: str", "_text", "has a bad name", "begin with a letter"),
        ("straße: str", "straße", "has a bad name", "letters, digits and _"),
        ("text: Nowhere", "text", "name 'Nowhere' is not defined", "at module level"),
        ("text: [str]", "text", "has the type", "use str, int"),
        ("text: 3", "text", "the type 3,", "use str, int"),
        ("text: Page", "text.content", "~T", "use str, int"),
        ("text: Page[str]", "text", "Page[str]", "without type parameters"),
        ("text: bytes", "text", "the type bytes, which is not supported", "use File"),
        ("text: Any", "text", "the type Any,", "say which type it is"),
        ("text: object", "text", "the type object,", "say which type it is"),
        ("text: complex", "text", "the type complex,", "use str, int, float, bool, Literal[...], list[...]"),
        ("text: dict[str, int]", "text", "the type dict[str, int],", "use a dataclass"),
        ("text: Mapping[str, int]", "text", "Mapping", "use a dataclass"),
        ("text: list", "text", "the type list,", "as list[str]"),
        ("text: List", "text", "the type List,", "as list[str]"),
        ("text: tuple[int, ...]", "text", "the type tuple[int, ...],", "as list[str]"),
        ("text: Sequence[str]", "text", "Sequence[str]", "as list[str]"),
        ("text: set[str]", "text", "set[str]", "as list[str]"),
        ("text: datetime.datetime", "text", "datetime", "use str and convert it"),
        ("text: pathlib.Path", "text", "Path", "use File"),
        ("text: Colour", "text", "Colour", "use Literal[...]"),
        ("text: Artifact", "text", "Artifact", "use File"),
        ("text: str | int", "text", "str | int", "only `| None`"),
        ("text: Union[str, int, None]", "text", "Union[str, int, None]", "only `| None`"),
        ("text: None", "text", "the type None,", "use str, int"),
        ("text: Literal[1.5]", "text", "a Literal of something else", "Literal["),
        ("text: Literal[None]", "text", "a Literal of something else", "Literal["),
        ("text: list[bytes]", "text", "the type bytes", "use File"),
        ("text: Annotated[str, Param]", "text", "the class Param", 'Param("what it is")'),
        ('text: Annotated[str, Param("a"), Param("b")]', "text", "two Params", "join them"),
        ('text: Annotated[Annotated[str, Param("a")] | None, Param("b")]', "text", "two Params", "join them"),
        ("text: Tree", "text.children", "which contains itself", "one dataclass for each level"),
        ("text: Handmade", "text", "not made from its fields", "InitVar"),
        ("text: Attached", "text.file", "is a File inside of a dataclass", "a parameter of its own"),
        ("text: Unknown", "text", "name 'Sizes' is not defined", "at module level"),
        ("text: Late", "text.size", "has the default 9, but it must be at most 5", "change the default or the limit"),
        ("text: Broken", "text.sizes", "ZeroDivisionError", "plain default"),
        ("text: str = None", "text", "has the default None", "add `| None`"),
        ("text: str = 3", "text", "has the default 3, but it must be text", "change the default"),
        ("text: int = True", "text", "has the default True, but it must be a whole number", "change the default"),
        ("text: int = 1.0", "text", "must be a whole number", "change the default"),
        ("text: float = float('nan')", "text", "must be a finite number", "change the default"),
        ('text: Literal["a", "b"] = "c"', "text", 'must be one of "a", "b"', "change the default"),
        ("text: list[int] = [1, 'x']", "text", "[1] must be a whole number", "change the default"),
        ("text: list[int] = (1, 2)", "text", "must be a list", "change the default"),
        ("text: Inner = Inner(0)", "text", "size must be at least 1", "change the default"),
        ("text: Outer = Outer({'size': 1})", "text", "inner must be the dataclass Inner", "change the default"),
        ("text: Inner = {'size': 3}", "text", "must be the dataclass Inner", "change the default"),
        ("text: File = 'a.txt'", "text", "stands for a file", "change the default"),
        ('text: Annotated[int, Param("a", ge=1, le=9)] = 10', "text", "must be at most 9", "change the default"),
        ('text: Annotated[str, Param("a", min_length=2)] = "x"', "text", "at least 2 characters", "change the default"),
        (
            'text: Annotated[list[int], Param("a", max_length=1)] = [1, 2]',
            "text",
            "at most 1 item",
            "change the default",
        ),
        ('text: Annotated[str, Param("a", pattern="^a+$")] = "ab"', "text", "must match ^a+$", "change the default"),
        ('text: list[Annotated[int, Param("a", ge=1)]] = [0]', "text", "[0] must be at least 1", "change the default"),
        (
            'text: Annotated[int, Param("a", le=9, examples=[3, 10])]',
            "text",
            "has the example 10",
            "change the example",
        ),
        ('text: Annotated[File, Param("a", examples=["x"])]', "text", "stands for a file", "change the example"),
    ],
)
def test_a_bad_parameter_is_refused(faults_of: FaultsOf, parameter: str, name: str, problem: str, fix: str) -> None:
    (fault,) = faults_of(f"{DATACLASSES}\n@agent\ndef ant({parameter}) -> str: ...")
    assert (fault.agent, fault.parameter) == ("ant", name)
    assert problem in fault.problem
    assert fix in fault.fix


def test_every_bad_field_of_a_dataclass_is_told(faults_of: FaultsOf) -> None:
    faults = faults_of(f"{DATACLASSES}\n@agent\ndef ant(text: Twice) -> str: ...")
    assert [fault.parameter for fault in faults] == ["text.a", "text.b"]


@pytest.mark.parametrize(
    ("parameters", "name", "problem"),
    [
        ("text: str, context: Context", "context", "is the context, but not the first parameter"),
        ("*, context: Context", "context", "is the context, but not the first parameter"),
        ("text: str, ctx: Context", "ctx", "is the context under another name"),
        ("ctx: Context", "ctx", "is the context under another name"),
        ("context", "context", "is not annotated as the context"),
        ("context: str", "context", "is not annotated as the context"),
        ("context: Context | None", "context", "is not annotated as the context"),
        ("context: Context = None", "context", "has a default"),
    ],
)
def test_a_misplaced_context_is_refused(faults_of: FaultsOf, parameters: str, name: str, problem: str) -> None:
    (fault,) = faults_of(f"@agent\ndef ant({parameters}) -> str: ...")
    assert fault.parameter == name
    assert problem in fault.problem
    assert "`context: Context` as the first parameter" in fault.fix


@pytest.mark.parametrize("annotation", ["Context", "Context[int]", "Context[Any]"])
def test_the_context_is_no_parameter_of_callers(load_agent: Callable[[str], Agent], annotation: str) -> None:
    found = load_agent(f"@agent\ndef ant(context: {annotation}, text: str) -> str: ...")
    assert found.takes_context
    assert [parameter.name for parameter in found.parameters] == ["text"]


@pytest.mark.parametrize(
    ("source", "problem", "fix"),
    [
        ("def ant(text: str): ...", "has no return type", "use str, a dataclass, Iterator[str]"),
        ("def ant(text: str) -> None: ...", "returns None", "use str, a dataclass"),
        ("def ant(text: str) -> int: ...", "returns int", "use str, a dataclass"),
        ("def ant(text: str) -> str | None: ...", "returns str | None", "use str, a dataclass"),
        ("def ant(text: str) -> list[str]: ...", "returns list[str]", "use str, a dataclass"),
        ("def ant(text: str) -> Iterator[int]: ...", "Iterator[int]", "use str, a dataclass"),
        ("def ant(text: str) -> File: ...", "returns File", "Artifact"),
        ("def ant(text: str) -> Nowhere: ...", "name 'Nowhere' is not defined", "at module level"),
        ("def ant(text: str) -> str: yield text", "yields, but does not return Iterator[str]", "`-> Iterator[str]`"),
        ("def ant(text: str) -> AsyncIterator[str]: ...", "but is a plain def", "`async def`"),
        ('@agent(queue="cpu")\nasync def bee() -> Iterator[str]: ...', "without yielding", "AsyncIterator[str]"),
        (
            '@agent(queue="cpu")\nasync def bee() -> str:\n yield ""',
            "does not return AsyncIterator",
            "AsyncIterator[str]",
        ),
        ("class Ant: ...", "is a type, not a function", "made with `def`"),
    ],
)
def test_a_bad_answer_is_refused(faults_of: FaultsOf, source: str, problem: str, fix: str) -> None:
    (fault,) = faults_of(source if source.startswith("@agent") else f"@agent(name='ant')\n{source}")
    assert problem in fault.problem
    assert fix in fault.fix


def test_a_bad_field_of_a_returned_dataclass_is_named(faults_of: FaultsOf) -> None:
    (fault,) = faults_of("@dataclass\nclass Out:\n    data: bytes\n\n@agent\ndef ant() -> Out: ...")
    assert fault.parameter == "return.data"
