"""Analyse a text and print the analysis."""

from __future__ import annotations

from tasks.agents._analysis import MAX_TOKENS, TEMPERATURE, Focus, Text, ask
from tasks.agents._layout import lay_out
from tasks.sdk import Artifact, Context, Report, agent


@agent(queue="cpu", timeout=60)
def ai_service_binary(context: Context, param1: Text, param2: Focus = None) -> Artifact:
    """Analyse a text and return the analysis as a PDF.

    The PDF holds a summary, the findings, and the text itself. With a question or a focus in `param2`, it is about
    that.
    """
    context.progress(0.1, "reading")
    answer = context.provider.complete(ask(param1, param2), temperature=TEMPERATURE, max_tokens=MAX_TOKENS)
    context.progress(0.8, "printing")
    return context.pdf("result.pdf", _report(answer.text, param1, param2, context.provider.model))


def _report(answer: str, text: str, focus: str | None, model: str) -> Report:
    layout = lay_out(answer)
    details = {"Question or focus": focus or "", "Length of the text": f"{len(text.split()):,} words", "Model": model}
    return Report(
        title=layout.title or "Analysis of a text",
        summary=layout.summary,
        findings=layout.findings,
        source=text,
        details={name: value for name, value in details.items() if value.strip()},
    )
