"""Every kind of function that may be an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import pytest

from tasks.sdk import Agent, ReturnKind, Returns
from tasks.worker.calling import call


def an_agent(function: Callable[..., Any], kind: ReturnKind) -> Agent:
    return Agent(
        name="sample", summary="", description="", queue="cpu", timeout=1, parameters=(), returns=Returns(kind),
        takes_context=False, is_async=False, setup=None, retry_on=(), cost=None,
        together=None, function=function, source="",
    )  # fmt: skip


def test_a_plain_function_gives_its_value() -> None:
    assert call(an_agent(lambda text: text * 2, ReturnKind.TEXT), {"text": "a"}, pytest.fail) == "aa"


def test_a_generator_says_its_pieces_and_gives_their_text() -> None:
    said: list[str] = []

    def pieces() -> Iterator[str]:
        yield "a"
        yield "b"

    assert call(an_agent(pieces, ReturnKind.TOKENS), {}, said.append) == "ab"
    assert said == ["a", "b"]


def test_an_async_function_gives_its_value() -> None:
    async def answer() -> str:
        return "a"

    assert call(an_agent(answer, ReturnKind.TEXT), {}, pytest.fail) == "a"


def test_an_async_generator_says_its_pieces() -> None:
    said: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    assert call(an_agent(pieces, ReturnKind.TOKENS), {}, said.append) == "ab"
    assert said == ["a", "b"]


def test_an_interrupted_generator_cleans_up_at_once() -> None:
    closed: list[str] = []

    def pieces() -> Iterator[str]:
        try:
            yield "a"
        finally:
            closed.append("closed")

    def refuse(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(an_agent(pieces, ReturnKind.TOKENS), {}, refuse)
    assert closed == ["closed"]


def test_a_list_of_pieces_is_as_good_as_a_generator() -> None:
    said: list[str] = []

    def pieces() -> Iterable[str]:
        return ["a", "b"]

    assert call(an_agent(pieces, ReturnKind.TOKENS), {}, said.append) == "ab"
    assert said == ["a", "b"]
