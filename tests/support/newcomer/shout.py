"""Shout a text."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from tasks.sdk import Context, Param, agent


def load() -> Any:
    import string  # stands for a heavy library: only workers come here

    return string.capwords


@agent(queue="cpu", timeout=30, setup=load)
def shout(
    context: Context,
    text: Annotated[str, Param("The text to shout", max_length=100, examples=["hello"])],
    mark: Annotated[Literal["!", "?"], Param("What it ends with")] = "!",
    times: Annotated[int, Param("How often", ge=1, le=3)] = 1,
) -> Iterator[str]:
    """Say a text loudly."""
    for _ in range(times):
        yield context.model(text) + mark
