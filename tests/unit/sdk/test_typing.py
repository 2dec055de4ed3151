"""A type checker sees through the decorator, in its strictest mode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

GOOD = '''
"""Summarise a text."""
from collections.abc import Callable, Iterator
from typing import Annotated, assert_type

from tasks.sdk import Context, Param, agent
from tasks.sdk.testing import FakeContext

Model = Callable[[str, int], list[str]]


def load() -> Model:
    return lambda text, sentences: text.split(".")[:sentences]


@agent(queue="cpu", timeout=120, setup=load)
def summarise(
    context: Context,
    text: Annotated[str, Param("The text to summarise", max_length=20_000)],
    sentences: Annotated[int, Param("How many sentences", ge=1, le=10)] = 3,
) -> Iterator[str]:
    """Summarise a text in a few sentences."""
    yield from context.model(text, sentences)


@agent
def shorten(context: Context[Model], text: str) -> str:
    """Keep the first sentence."""
    return assert_type(context.model(text, 1), list[str])[0]


assert_type(summarise(FakeContext(), "text", sentences=2), Iterator[str])
assert_type(shorten(FakeContext(model=load()), "text"), str)
'''

BAD = """
summarise(FakeContext(), 3)
summarise(FakeContext(), "text", colour="red")
agent(queue=3)
agent(retry_on=("TimeoutError",))
"""


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("typed")
    (folder / "summarise.py").write_text(GOOD + BAD)
    options = ["--strict", "--config-file=", f"--cache-dir={folder}", "--no-error-summary", "--no-pretty"]
    command = [sys.executable, "-m", "mypy", *options, str(folder / "summarise.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    return [line for line in done.stdout.splitlines() if ": error:" in line]


def test_a_well_written_agent_has_no_complaint_and_a_wrong_call_has_one(complaints: list[str]) -> None:
    first = GOOD.count("\n") + 2
    assert [int(line.split(":")[1]) for line in complaints] == [first, first + 1, first + 2, first + 3], complaints
