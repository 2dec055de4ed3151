"""Answer a list of messages that the caller keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from tasks.sdk import Context, Message, Param, agent

# More than the context of today's models holds in either unit; the body's own limit comes first by default.
_MOST_MESSAGES = 10_000
_LONGEST = 1_000_000


@dataclass
class ChatMessage:
    """A message, and who said it."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Param("What was said", max_length=_LONGEST, examples=["What is a ramp?"])]


@agent(queue="io", timeout=300)
def chat_completion(  # noqa: PLR0917 (callers name what they send)
    context: Context,
    messages: Annotated[
        list[ChatMessage],
        Param(
            "What was said, the oldest first",
            min_length=1,
            max_length=_MOST_MESSAGES,
            examples=[[{"role": "user", "content": "What is a ramp?"}]],
        ),
    ],
    model: Annotated[str, Param("One of the provider's models; its default without", max_length=200)] = "",
    temperature: Annotated[float, Param("0 keeps to the likeliest words, 2 to hardly any", ge=0, le=2)] = 0.7,
    max_tokens: Annotated[int, Param("The longest answer", ge=1, le=1_000_000)] = 4000,
    stop: Annotated[list[str] | None, Param("Texts at which the answer ends", max_length=4)] = None,
) -> Iterator[str]:
    """Answer a list of messages."""
    yield from context.provider.stream(
        [Message(each.role, each.content) for each in messages],
        temperature=temperature,
        max_tokens=max_tokens,
        stop=stop or (),
        model=model,
    )
