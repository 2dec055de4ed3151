"""The stand-ins behave as the real ones would."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tasks.sdk import Artifact, Canceled, Context, Message, ProviderError, Report, Usage
from tasks.sdk.generation import Provider, TextStream
from tasks.sdk.testing import FakeContext, FakeProvider, FakeStream

QUESTION = [Message("user", "How are you today?")]


def test_the_context_remembers_what_the_agent_said() -> None:
    context = FakeContext(settings={"KEY": "k"}, model="m")
    context.progress(0.5, "half")
    context.progress(7)
    made = context.artifact("a.txt", iter([b"ab", b"c"]), "text/plain")
    context.add_usage(Usage(1, 2))
    context.add_usage(Usage(3, 4))
    context.log.info("read", pages=3)
    assert made == Artifact("a.txt", "text/plain", 3)
    assert context.steps == [(0.5, "half"), (1.0, "")]
    assert context.artifacts == {"a.txt": b"abc"}
    assert context.usage == Usage(4, 6)
    assert context.log.lines == [("info", "read", {"pages": 3})]
    assert (context.settings["KEY"], context.model) == ("k", "m")


def test_a_report_is_kept_as_it_was_given() -> None:
    context, report = FakeContext(), Report("Title", "Summary")
    made = context.pdf("a.pdf", report)
    assert (made.name, made.media_type) == ("a.pdf", "application/pdf")
    assert made.size == len(context.artifacts["a.pdf"])
    assert context.reports == {"a.pdf": report}


def test_a_canceled_context_stops_the_agent_at_its_next_word() -> None:
    context = FakeContext()
    context.check()
    context.canceled = True
    for say in (
        context.check,
        lambda: context.progress(0.1),
        lambda: context.artifact("a.txt", b"", "text/plain"),
        lambda: context.pdf("a.pdf", Report("Title", "Summary")),
    ):
        with pytest.raises(Canceled):
            say()
    assert (context.steps, context.artifacts) == ([], {})


def test_two_contexts_share_nothing() -> None:
    first, second = FakeContext(), FakeContext()
    shared = [
        each.name
        for each in fields(FakeContext)
        if isinstance(getattr(first, each.name), list | dict)
        and getattr(first, each.name) is getattr(second, each.name)
    ]
    assert shared == []
    assert first.provider is not second.provider


def test_the_provider_gives_its_answers_in_turn_and_keeps_the_questions() -> None:
    provider = FakeProvider(["One.", "Two of them."])
    answers = [provider.complete(QUESTION, temperature=0.1) for _ in range(3)]
    assert [answer.text for answer in answers] == ["One.", "Two of them.", "Two of them."]
    assert answers[1].usage == Usage(4, 3)
    assert provider.requests == [QUESTION] * 3
    assert provider.options[0] == {"temperature": 0.1}


def test_a_streamed_answer_comes_word_by_word_and_is_whole() -> None:
    stream = FakeProvider(["Well, thank  you."]).stream(QUESTION)
    pieces = [*stream]
    assert len(pieces) == 4
    assert "".join(pieces) == "Well, thank  you."
    assert (stream.usage.completion_tokens, stream.finish_reason) == (4, "stop")
    stream.close()
    assert stream.closed


def test_a_scripted_failure_is_raised_once() -> None:
    provider = FakeProvider([ProviderError("away"), "Back."])
    with pytest.raises(ProviderError, match="away"):
        provider.complete(QUESTION)
    assert provider.complete(QUESTION).text == "Back."


# The type checker proves that the stand-ins fit where the real ones belong.
_context: Context = FakeContext()
_model: Context[int] = FakeContext(model=3)
_provider: Provider = FakeProvider()
_stream: TextStream = FakeStream("")
