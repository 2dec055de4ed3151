"""Chat: answer a message with what was said before in its conversation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from tasks.sdk import Context, Message, Param, agent

# About 8,000 tokens of prose. What is longer is a document, and a case for an agent that reads documents.
_LONGEST = 32_000


@agent(queue="io", timeout=120)
def chat(
    context: Context,
    message: Annotated[str, Param("What to answer", min_length=1, max_length=_LONGEST, examples=["What is a ramp?"])],
    system_prompt: Annotated[
        str | None, Param("How to answer this message", max_length=_LONGEST, examples=["Answer in one sentence."])
    ] = None,
    temperature: Annotated[float, Param("0 keeps to the likeliest words, 2 to hardly any", ge=0, le=2)] = 0.7,
    max_tokens: Annotated[int, Param("The longest answer", ge=1, le=4000)] = 1000,
) -> Iterator[str]:
    """Answer a message of a conversation."""
    system = [Message("system", system_prompt)] if system_prompt else []
    question = Message("user", message)
    history = context.history([*system, question], max_tokens=max_tokens)
    messages = [*system, *history, question]
    yield from context.provider.stream(messages, temperature=temperature, max_tokens=max_tokens)
