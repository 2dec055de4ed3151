"""The agent that chats, with a scripted provider."""

from __future__ import annotations

import pytest

from tasks.agents.chat import chat
from tasks.sdk import Canceled, Message
from tasks.sdk.testing import FakeContext, FakeProvider
from tasks.worker.providers.offline import OfflineProvider

PAST = [Message("user", "What is a ramp?"), Message("assistant", "A slope into the water.")]


def test_the_model_is_told_how_to_answer_then_what_was_said_then_the_message() -> None:
    provider = FakeProvider(["Ships are launched from it."])
    context = FakeContext(provider=provider, past=PAST)
    answer = "".join(chat(context, "What for?", system_prompt="Be short.", temperature=0.1, max_tokens=50))
    assert answer == "Ships are launched from it."
    assert provider.requests == [[Message("system", "Be short."), *PAST, Message("user", "What for?")]]
    assert provider.options == [{"temperature": 0.1, "max_tokens": 50}]


def test_without_a_system_prompt_and_a_past_there_is_only_the_message() -> None:
    provider = FakeProvider()
    list(chat(FakeContext(provider=provider), "Hello"))
    assert provider.requests == [[Message("user", "Hello")]]


def test_a_canceled_chat_asks_nobody() -> None:
    provider = FakeProvider()
    with pytest.raises(Canceled):
        list(chat(FakeContext(provider=provider, canceled=True), "Hello"))
    assert provider.requests == []


def test_it_answers_offline_from_what_was_said() -> None:
    context = FakeContext(provider=OfflineProvider(), past=PAST)
    assert "".join(chat(context, "A ramp is a slope. Ships are launched from it. When?"))
