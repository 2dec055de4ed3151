"""The agent that analyses, with a scripted provider and with the offline one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tasks.agents.ai_service import ai_service
from tasks.agents.ai_service_binary import ai_service_binary
from tasks.sdk import Agent, Canceled, Catalogue, File, PayloadError, ProviderError, ReturnKind, Usage
from tasks.sdk.testing import FakeContext, FakeProvider
from tasks.worker.providers.offline import OfflineProvider

TEXT = """\
The bridge was opened in 1932 after eight years of work. It carries eight lanes of traffic.
The paint on the northern approach wears off, because salt spray reaches the girders.
Rain gets into the south-eastern pylon through a joint below the parapet. The granite is sound.
A footway and a cycleway run along both sides. Sixteen workers died in accidents while it was built."""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load("tasks.agents", {"io": "gevent", "cpu": "prefork"})


def offline() -> FakeContext:
    return FakeContext(provider=OfflineProvider())


def no_file(_stored: object) -> File:
    raise AssertionError("these agents take no file")


def test_the_catalogue_finds_both_and_nothing_that_they_share(catalogue: Catalogue) -> None:
    found = {name: (each.queue, each.returns.kind) for name, each in catalogue.items()}
    assert found["ai_service"] == ("io", ReturnKind.TOKENS)
    assert found["ai_service_binary"] == ("cpu", ReturnKind.ARTIFACT)
    assert not [name for name in found if name.startswith("_")]


@pytest.fixture(params=["ai_service", "ai_service_binary"])
def either(request: pytest.FixtureRequest, catalogue: Catalogue) -> Agent:
    return catalogue[request.param]


def test_the_focus_may_be_left_out_or_null(either: Agent) -> None:
    assert either.bind({"param1": TEXT}, no_file) == {"param1": TEXT, "param2": None}
    assert either.bind({"param1": "x" * 100_000, "param2": None}, no_file)["param2"] is None


@pytest.mark.parametrize(
    "payload",
    [{}, {"param1": ""}, {"param1": "x" * 100_001}, {"param1": TEXT, "param2": "x" * 2_001}, {"param1": None}],
)
def test_parameters_beyond_their_limits_are_refused(either: Agent, payload: dict[str, object]) -> None:
    with pytest.raises(PayloadError):
        either.bind(payload, no_file)


def test_the_answer_comes_in_pieces() -> None:
    context = FakeContext(provider=FakeProvider(["A sound bridge."]))
    assert list(ai_service(context, TEXT)) == ["A", " sound", " bridge."]


def test_a_text_alone_is_the_only_user_message() -> None:
    provider = FakeProvider()
    list(ai_service(FakeContext(provider=provider), TEXT))
    assert [(each.role, each.content) for each in provider.requests[0] if each.role != "system"] == [("user", TEXT)]


@pytest.mark.parametrize("blank", ["", " \n"])
def test_a_blank_focus_is_none(blank: str) -> None:
    provider = FakeProvider()
    list(ai_service(FakeContext(provider=provider), TEXT, blank))
    assert [each.role for each in provider.requests[0]] == ["system", "user"]


def test_the_focus_is_the_last_message() -> None:
    provider = FakeProvider()
    list(ai_service(FakeContext(provider=provider), TEXT, "Who?"))
    assert [each.role for each in provider.requests[0]] == ["system", "user", "user"]
    assert [each.content for each in provider.requests[0]][1:] == [TEXT, "Who?"]


def test_the_provider_counts_and_the_agent_does_not() -> None:
    context = FakeContext(provider=FakeProvider(["Sound."]))
    list(ai_service(context, TEXT))
    ai_service_binary(context, TEXT)
    assert context.usage == Usage()


def test_both_parameters_change_the_offline_answer() -> None:
    summary = "".join(ai_service(offline(), TEXT))
    when = "".join(ai_service(offline(), TEXT, "When was it opened?"))
    paint = "".join(ai_service(offline(), TEXT, "the paint"))
    other = "".join(ai_service(offline(), "Cats sleep. Cats sleep all day long.", "When was it opened?"))
    assert "1932" in when
    assert "salt spray" in paint
    assert len({summary, when, paint, other}) == 4


def test_a_failing_provider_fails_the_job() -> None:
    context = FakeContext(provider=FakeProvider([ProviderError("The model server is away.")]))
    with pytest.raises(ProviderError):
        list(ai_service(context, TEXT))
    with pytest.raises(ProviderError):
        ai_service_binary(context, TEXT)
    assert not context.artifacts


def test_a_canceled_job_asks_no_model() -> None:
    provider = FakeProvider()
    with pytest.raises(Canceled):
        ai_service_binary(FakeContext(provider=provider, canceled=True), TEXT)
    assert not provider.requests


def test_the_analysis_is_laid_out_for_print() -> None:
    context = FakeContext(provider=FakeProvider(["# The bridge\nIt is sound.\n## Paint\nIt wears off."]))
    artifact = ai_service_binary(context, TEXT, "paint")
    report = context.reports["result.pdf"]
    assert (artifact.name, artifact.media_type) == ("result.pdf", "application/pdf")
    assert (report.title, report.summary, report.source) == ("The bridge", "It is sound.", TEXT)
    assert [(each.title, each.text) for each in report.findings] == [("Paint", "It wears off.")]
    assert "paint" in report.details.values()
    assert context.steps[-1][0] < 1


def test_a_report_without_a_focus_has_no_row_for_it() -> None:
    context = offline()
    ai_service_binary(context, TEXT)
    report = context.reports["result.pdf"]
    assert report.title
    assert report.summary
    assert all(value.strip() for value in report.details.values())


def test_a_question_is_the_title_of_its_report() -> None:
    question = "When was it\nopened?"
    context = offline()
    ai_service_binary(context, TEXT, question)
    report = context.reports["result.pdf"]
    assert report.title == "When was it opened?"
    assert report.title not in report.details.values()


@pytest.mark.parametrize("focus", ["the paint", "Why " * 300 + "?", None])
def test_a_report_on_anything_else_says_that_it_is_an_analysis(focus: str | None) -> None:
    context = offline()
    ai_service_binary(context, TEXT, focus)
    report = context.reports["result.pdf"]
    assert report.title == "Analysis of a text"
    assert report.details.get("Question or focus") == (" ".join(focus.split()) if focus else None)


def test_a_report_says_which_text_it_is_about_and_when_it_was_made() -> None:
    context = offline()
    ai_service_binary(context, TEXT)
    report = context.reports["result.pdf"]
    assert report.subtitle == "On “The bridge was opened in 1932 after eight years of work. It carries…”"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(f"{report.details['Date']}T12:00+00:00")) < timedelta(days=1)


def test_both_agents_ask_the_same_of_the_model() -> None:
    provider = FakeProvider()
    list(ai_service(FakeContext(provider=provider), TEXT, "Who?"))
    ai_service_binary(FakeContext(provider=provider), TEXT, "Who?")
    assert provider.requests[0] == provider.requests[1]
    assert provider.options[0] == provider.options[1]
