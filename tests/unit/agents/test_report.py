"""The report of several documents."""

from __future__ import annotations

import pytest

from tasks.agents.report import report
from tasks.sdk import AgentError
from tasks.sdk.testing import FakeContext, FakeProvider, fake_file


def test_every_document_is_analysed_and_printed_together() -> None:
    context = FakeContext(provider=FakeProvider(["About the first.", "About the second."]))
    made = report(context, [fake_file("one", "a.txt"), fake_file("two", "b.txt")], "what?")
    assert (made.name, made.media_type) == ("report.pdf", "application/pdf")
    printed = context.reports["report.pdf"]
    assert [(each.title, each.text) for each in printed.findings] == [
        ("a.txt", "About the first."),
        ("b.txt", "About the second."),
    ]
    assert printed.summary == "2 documents were analysed: a.txt, b.txt."
    assert [message for _, message in context.steps] == ["reading a.txt", "reading b.txt", "printing"]


def test_a_second_attempt_analyses_what_is_left() -> None:
    documents = [fake_file("one", "a.txt"), fake_file("two", "b.txt")]
    first = FakeContext(provider=FakeProvider(["About the first.", RuntimeError("the worker dies")]))
    with pytest.raises(RuntimeError):
        report(first, documents)
    provider = FakeProvider(["About the second."])
    second = FakeContext(provider=provider, attempt=2, saved=first.saved)
    report(second, documents)
    assert len(provider.requests) == 1
    assert [each.text for each in second.reports["report.pdf"].findings] == ["About the first.", "About the second."]


@pytest.mark.parametrize("content", [b"", b" ", b"x" * 100_001, b"\xff\xfe\xfd"])
def test_a_document_that_cannot_be_read_is_named(content: bytes) -> None:
    with pytest.raises(AgentError, match=r"'a\.txt'") as error:
        report(FakeContext(), [fake_file(content, "a.txt")])
    assert error.value.code == "unreadable_file"
