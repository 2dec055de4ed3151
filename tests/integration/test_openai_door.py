"""OpenAI's own Python SDK against the service: only its base URL and its key are changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from deploy.local.stack import Stack
from tests.support.client import Client
from tests.support.model_server import ModelServer

UNICODE = 'a\nb\r\nc\u2028 data: x\n\n "\\" 😀 汉字'
HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture
def sdk(chat_stack: Stack, model: ModelServer) -> Iterator[OpenAI]:
    model.reset()
    with OpenAI(base_url=f"{chat_stack.url}/v1", api_key=chat_stack.api_key) as client:
        yield client
    model.reset()


@pytest.fixture
def client(chat_stack: Stack) -> Client:
    return Client(chat_stack)


def test_a_chat(sdk: OpenAI) -> None:
    answer = sdk.chat.completions.create(
        model="small",
        messages=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": UNICODE}]},
        ],
        temperature=0.5,
        n=1,
        top_p=1,
        user="somebody",
    )
    assert (
        answer.choices[0].message.content == f"You said: a{UNICODE}\nBefore that: system: Be kind.\nAt temperature 0.5."
    )
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.object, answer.model) == ("chat.completion", "small")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 2
    assert abs(time.time() - answer.created) < 60


def test_a_stream_with_its_usage(sdk: OpenAI) -> None:
    chunks = list(
        sdk.chat.completions.create(
            model="small",
            messages=[{"role": "user", "content": UNICODE}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    *pieces, usage = chunks
    assert "".join(each.choices[0].delta.content or "" for each in pieces).startswith(f"You said: {UNICODE}\n")
    assert pieces[0].choices[0].delta.role == "assistant"
    assert [each.choices[0].finish_reason for each in pieces if each.choices[0].finish_reason] == ["stop"]
    assert all(each.usage is None for each in pieces)
    assert usage.choices == []
    assert usage.usage is not None
    assert usage.usage.completion_tokens > 0
    assert len({each.id for each in chunks}) == 1


def test_a_stream_without_usage_and_a_limit(sdk: OpenAI) -> None:
    chunks = list(sdk.chat.completions.create(model="small", messages=HELLO, stream=True, max_completion_tokens=2))
    assert "".join(each.choices[0].delta.content or "" for each in chunks) == "You said:"
    assert chunks[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize("stop", ["Before", ["Before", "never"]])
def test_an_answer_ends_at_a_stop(sdk: OpenAI, stop: Any) -> None:
    answer = sdk.chat.completions.create(model="small", messages=HELLO, stop=stop)
    assert answer.choices[0].message.content == "You said: hello"
    cut = sdk.chat.completions.create(model="small", messages=HELLO, max_tokens=1)
    assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == ("You", "length")


def test_the_providers_models_and_the_agents_that_take_text(sdk: OpenAI, model: ModelServer) -> None:
    deadline = time.monotonic() + 60
    while "slow" not in (names := {each.id: each.owned_by for each in sdk.models.list()}):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert names["small"] == names["slow"] == "provider"
    assert names["echo"] == "slipway"  # an agent goes before a model of its name
    assert names["ai_service"] == names["spell"] == "slipway"
    assert not {"chat", "chat_completion", "count", "write_file"} & set(names)
    sdk.chat.completions.create(model="slow", messages=HELLO)
    assert model.stats()["last"]["model"] == "slow"


def test_an_agent_as_a_model(sdk: OpenAI) -> None:
    answer = sdk.chat.completions.create(model="spell", messages=[*HELLO, {"role": "user", "content": UNICODE}])
    assert answer.choices[0].message.content == UNICODE
    chunks = sdk.chat.completions.create(model="spell", messages=HELLO, stream=True)
    assert "".join(each.choices[0].delta.content or "" for each in chunks) == "hello"


def test_a_wrong_key(chat_stack: Stack) -> None:
    with OpenAI(base_url=f"{chat_stack.url}/v1", api_key="wrong") as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.chat.completions.create(model="small", messages=HELLO)
        assert refused.value.code == "invalid_api_key"
        with pytest.raises(openai.AuthenticationError):
            client.models.list()


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"n": 2}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"extra_body": {"nonsense": 1}}, "nonsense"),
    ],
)
def test_a_bad_parameter_is_named(sdk: OpenAI, changed: Any, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.chat.completions.create(**{"model": "small", "messages": HELLO} | changed)
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")


def test_an_unknown_model(sdk: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        sdk.chat.completions.create(model="nobody", messages=HELLO)
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_a_stream_that_its_caller_closes_ends_the_job_and_lets_the_model_go(
    sdk: OpenAI, model: ModelServer, client: Client
) -> None:
    model.control(tokens=500, rate=20)
    stream = sdk.chat.completions.create(model="small", messages=HELLO, stream=True)
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    job_id = stream.response.headers["X-Job-ID"]
    stream.close()
    assert client.wait_for(job_id)["status"] == "canceled"
    deadline = time.monotonic() + 10
    while model.stats()["active"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_model_server_that_fails_is_an_error_that_is_not_repeated(sdk: OpenAI, model: ModelServer) -> None:
    model.control(fault="400")
    with pytest.raises(openai.InternalServerError) as failed:
        sdk.chat.completions.create(model="small", messages=HELLO)
    assert (failed.value.status_code, failed.value.code) == (502, "provider_error")
    assert model.stats()["refused"] == 1
    model.control(fault="cut")
    with pytest.raises(openai.APIError, match="cut short"):
        list(sdk.chat.completions.create(model="small", messages=HELLO, stream=True))


def test_an_agent_that_is_restarted_in_the_middle_ends_the_stream_with_an_error(sdk: OpenAI) -> None:
    seen: list[str] = []
    chunks = sdk.chat.completions.create(model="stumble", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError) as failed:
        seen.extend(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert seen == ["", "half "]
    assert failed.value.code == "restarted"
