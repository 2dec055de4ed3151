"""The `@agent` decorator. It only marks: the catalogue looks at what was marked, and says what is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast, overload

from tasks.sdk.generation import Usage
from tasks.sdk.setups import Setup

_MARK = "__agent__"

F = TypeVar("F", bound=Callable[..., Any])
Cost: TypeAlias = int | Callable[[Usage], int]
Together: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], Sequence[Any]]


@dataclass(frozen=True)
class Declaration:
    """What the decorator was told, unchecked. `hides` is the place of an agent that this one overwrites."""

    name: str
    queue: str = "io"
    timeout: float = 60.0
    setup: Setup | None = None
    retry_on: Sequence[type[Exception]] = ()
    cost: Cost | None = None
    together: Together | None = None
    hides: str = ""


@overload
def agent(function: F, /) -> F: ...


@overload
def agent(
    *,
    queue: str = "io",
    timeout: float = 60.0,
    name: str | None = None,
    setup: Setup | None = None,
    retry_on: Sequence[type[Exception]] = (),
    cost: Cost | None = None,
    together: Together | None = None,
) -> Callable[[F], F]: ...


def agent(function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
    """Offer a function as an agent. It stays the plain function that it is.

    `queue` says where it runs, `timeout` how many seconds it may take, `name` what its URL calls it (by default the
    function's name). `setup` is called once in every worker process that serves the agent, and given the agents'
    settings when it has a parameter `settings`; what it returns is `context.model`. An exception of a type in
    `retry_on` starts the job again instead of failing it. `cost` is the number of credits for a job, or a function of
    the tokens that it used. `together` runs several jobs that were submitted to be run at once: it is given the
    arguments of each, and returns for each what the function would have returned, or what it would have raised.
    """
    if function is not None:
        return _mark(function, {})
    return lambda marked: _mark(marked, options)


def declaration_of(thing: Any) -> Declaration | None:
    """Return what `@agent` left on a function, or None when it is no agent."""
    return cast("Declaration | None", getattr(thing, "__dict__", {}).get(_MARK))


def locate(thing: Any) -> str:
    """Return `file:line` of a function or a class."""
    code = getattr(inspect.unwrap(thing), "__code__", None)
    if code is not None:
        return f"{shorten(code.co_filename)}:{code.co_firstlineno}"
    try:
        return f"{shorten(inspect.getfile(thing))}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):  # It was not made from a file.
        return repr(thing)


def shorten(file: str) -> str:
    """Return a path relative to the working directory when it lies below that."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _mark(function: F, options: Mapping[str, Any]) -> F:
    name = function.__name__ if options.get("name") is None else options["name"]
    setattr(function, _MARK, Declaration(**{**options, "name": name, "hides": _hidden_by(function)}))
    return function


def _hidden_by(function: Any) -> str:
    """Return the place of an agent that this one makes unreachable: it has the same function, or the same name."""
    if declaration_of(function):
        return locate(function)
    earlier = getattr(function, "__globals__", {}).get(function.__name__)
    # A function made inside of another one overwrites nothing in its module.
    return locate(earlier) if declaration_of(earlier) and "." not in function.__qualname__ else ""
