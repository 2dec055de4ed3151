"""Analyse a text and print the analysis."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.agents._analysis import MAX_TOKENS, TEMPERATURE, Focus, Text, ask
from tasks.agents._layout import lay_out
from tasks.sdk import Artifact, Context, Report, agent

_TITLE = "Analysis of a text"
_QUESTION_MARKS = ("?", "？", "؟")  # noqa: RUF001 - those of Latin, Chinese and Arabic text

# A title of two lines at most, and a line below it.
_LONGEST_TITLE, _OPENING = 90, 70


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
    asked = " ".join((focus or "").split())
    # A question says what the pages are about. A focus, "the paint" say, does so only together with the text.
    title = layout.title or (asked if asked.endswith(_QUESTION_MARKS) and len(asked) <= _LONGEST_TITLE else _TITLE)
    details = {
        "Question or focus": "" if asked == title else asked,
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Length of the text": f"{len(text.split()):,} words",
        "Model": model,
    }
    return Report(
        title=title,
        subtitle=f"On “{_shorten(text)}”",
        summary=layout.summary,
        findings=layout.findings,
        source=text,
        details={name: value for name, value in details.items() if value.strip()},
    )


def _shorten(text: str) -> str:
    """Return the first words of a text: as much as fits into a line."""
    line = " ".join(text[: 4 * _OPENING].split())
    return line if len(line) <= _OPENING else f"{line[:_OPENING].rsplit(' ', 1)[0].rstrip(' ,;:.')}…"
