"""Analyse several documents and print one report: a long job, which goes on where a lost worker left it."""

from __future__ import annotations

from typing import Annotated

from tasks.agents._analysis import LONGEST_TEXT, MAX_TOKENS, TEMPERATURE, Focus, ask
from tasks.agents._layout import lay_out
from tasks.sdk import AgentError, Artifact, Context, File, Finding, Param, Report, agent

# A report of more is read by nobody, and it is what a time limit of 15 minutes has room for.
_MOST = 20

Documents = Annotated[list[File], Param("The documents: text files in UTF-8", min_length=1, max_length=_MOST)]


@agent(queue="cpu", timeout=900)
def report(context: Context, documents: Documents, focus: Focus = None) -> Artifact:
    """Analyse several documents and return one report as a PDF.

    The documents are analysed one after the other. When the worker is lost in the middle, those that are finished are
    not analysed again.
    """
    findings = []
    for number, document in enumerate(documents):
        context.progress(number / (len(documents) + 1), f"reading {document.name}")
        findings.append(Finding(document.name, _analyse(context, number, document, focus)))
    context.progress(len(documents) / (len(documents) + 1), "printing")
    return context.pdf("report.pdf", _report(findings, focus, context.provider.model))


def _analyse(context: Context, number: int, document: File, focus: str | None) -> str:
    """The analysis of one document, from an earlier attempt if that had finished it."""
    name = f"document-{number}"
    finished: str | None = context.load(name)
    if finished is not None:
        return finished
    text = document.text()
    if not text.strip() or len(text) > LONGEST_TEXT:
        problem = f"The file {document.name!r} must have 1 to {LONGEST_TEXT:,} characters."
        raise AgentError(problem, code="unreadable_file")
    answer = context.provider.complete(ask(text, focus), temperature=TEMPERATURE, max_tokens=MAX_TOKENS).text
    layout = lay_out(answer)
    parts = [layout.summary, *(f"{each.title}\n{each.text}".strip() for each in layout.findings)]
    analysis = "\n\n".join(filter(None, parts))
    context.save(name, analysis)
    return analysis


def _report(findings: list[Finding], focus: str | None, model: str) -> Report:
    count = "One document was" if len(findings) == 1 else f"{len(findings)} documents were"
    details = {"Question or focus": focus or "", "Model": model}
    return Report(
        title="Report",
        summary=f"{count} analysed: {', '.join(each.title for each in findings)}.",
        findings=tuple(findings),
        details={name: value for name, value in details.items() if value.strip()},
    )
