"""Analyse a text in the background, telling how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.agents._analysis import MAX_TOKENS, TEMPERATURE, Text, ask
from tasks.sdk import Context, agent


@agent(queue="io", timeout=300)
def analysis(context: Context, prompt: Text) -> Iterator[str]:
    """Analyse a text, with time for a slow model: the default of `/task`."""
    context.progress(0.1, "reading")
    said = 0
    for piece in context.provider.stream(ask(prompt, None), temperature=TEMPERATURE, max_tokens=MAX_TOKENS):
        if not said:
            context.progress(0.3, "writing")
        said += len(piece)
        yield piece
    context.progress(1.0, f"{said:,} characters written")
