"""Analyse a text. Copy this file to add an agent of your own."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.agents._analysis import MAX_TOKENS, TEMPERATURE, Focus, Text, ask
from tasks.sdk import Context, agent


@agent(queue="io", timeout=60)
def ai_service(context: Context, param1: Text, param2: Focus = None) -> Iterator[str]:
    """Analyse a text.

    The answer is a short summary and what stands out in the text. With a question or a focus in `param2`, it is about
    that.
    """
    yield from context.provider.stream(ask(param1, param2), temperature=TEMPERATURE, max_tokens=MAX_TOKENS)
