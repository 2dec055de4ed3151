"""The provider against a real model server on a real socket: what works, and every way it can break."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tasks.jobs.environment import Secret
from tasks.sdk.errors import ProviderError
from tasks.sdk.generation import Message
from tasks.worker.providers import OpenAICompatibleProvider, ProviderSettings
from tests.support.model_server import ModelServer

KEY = "sk-test-swordfish"
MESSAGES = [Message("system", "Be kind."), Message("user", "Hello wörld 😀")]
ECHO = "You said: Hello wörld 😀\nBefore that: system: Be kind.\nAt temperature 0.7."

# No test waits for this long; a provider that hangs fails here instead of in the whole run's time-out.
PATIENCE = 60.0


@pytest.fixture(scope="module")
def running_server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY) as server:
        yield server


@pytest.fixture
def server(running_server: ModelServer) -> ModelServer:
    running_server.reset()
    return running_server


@pytest.fixture
def make(server: ModelServer) -> Callable[..., OpenAICompatibleProvider]:
    """Make a provider for a model; the name of the model says how the server shall behave."""

    def make_provider(model: str = "echo", **changed: Any) -> OpenAICompatibleProvider:
        # Short waits between tries; the tests that are about waiting choose their own.
        options = {"base_url": Secret(server.base_url), "api_key": Secret(KEY), "read_timeout": 5.0, "max_wait": 0.1}
        return OpenAICompatibleProvider(ProviderSettings(**{"model": model, **options, **changed}))

    return make_provider


Make = Callable[..., OpenAICompatibleProvider]


def call_plain(provider: OpenAICompatibleProvider) -> str:
    return provider.complete(MESSAGES).text


def call_streamed(provider: OpenAICompatibleProvider) -> str:
    return "".join(provider.stream(MESSAGES))


both = pytest.mark.parametrize("call", [call_plain, call_streamed])
Call = Callable[[OpenAICompatibleProvider], str]


def hear(stream: Iterable[str], heard: list[str]) -> None:
    for piece in stream:
        heard.append(piece)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@both
def test_messages_go_in_and_text_comes_out(make: Make, call: Call) -> None:
    assert call(make()) == ECHO


def test_every_parameter_reaches_the_model(make: Make) -> None:
    provider = make()
    assert provider.complete(MESSAGES, temperature=0.1).text == ECHO.replace("0.7", "0.1")
    short = provider.complete(MESSAGES, max_tokens=3)
    assert (short.text, short.finish_reason, short.usage.completion_tokens) == ("You said: Hello", "length", 3)
    stopped = provider.complete(MESSAGES, stop=["\nBefore"])
    assert (stopped.text, stopped.finish_reason) == ("You said: Hello wörld 😀", "stop")


def test_a_stream_ends_with_its_reason_and_the_tokens_that_the_server_counted(make: Make, server: ModelServer) -> None:
    stream = make().stream(MESSAGES, max_tokens=3)
    assert list(stream) == ["You", " said:", " Hello"]
    assert stream.finish_reason == "length"
    assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == (5, 3)
    assert server.stats()["last"]["stream_options"] == {"include_usage": True}


def test_a_stream_is_heard_while_it_is_made(make: Make, server: ModelServer) -> None:
    stream = make("slow;tokens=3;rate=0.02", read_timeout=PATIENCE).stream(MESSAGES)
    assert next(iter(stream)) == "word0 "
    assert server.stats()["answers"] == 0, "the second comes after fifty seconds"
    stream.close()


def test_the_models_of_the_server_are_listed(make: Make) -> None:
    assert make().list_models() == ["echo", "slow"]


def test_a_server_that_refuses_a_field_is_not_sent_it(make: Make, server: ModelServer) -> None:
    provider = make(omit=("temperature", "stream_options"), max_tokens_field="max_completion_tokens")
    assert list(provider.stream(MESSAGES, max_tokens=1)) == ["You"]
    assert set(server.stats()["last"]) == {"model", "messages", "stream", "max_completion_tokens"}


def test_an_address_may_have_a_slash_and_a_query(make: Make, server: ModelServer) -> None:
    assert call_plain(make(base_url=Secret(f"{server.base_url}/?version=1"))) == ECHO


@both
@pytest.mark.parametrize("fault", ["500", "502", "503", "504", "429", "drop"])
def test_a_fault_that_passes_is_not_noticed(make: Make, server: ModelServer, call: Call, fault: str) -> None:
    assert call(make(f"x;fault={fault};times=2")).startswith("You said: Hello")
    assert server.stats()["requests"] == 3


@both
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(make: Make, server: ModelServer, call: Call) -> None:
    started = time.monotonic()
    call(make("x;fault=429;times=1;retry_after=1", max_wait=30.0))
    assert time.monotonic() - started >= 1.0
    assert server.stats()["requests"] == 2


def test_a_server_that_asks_for_an_hour_does_not_get_it(make: Make) -> None:
    started = time.monotonic()
    call_plain(make("x;fault=503;times=1;retry_after=3600", max_wait=0.1))
    assert time.monotonic() - started < PATIENCE


@both
@pytest.mark.parametrize("fault", ["500", "429", "drop"])
def test_a_fault_that_stays_is_reported_after_the_last_try(
    make: Make, server: ModelServer, call: Call, fault: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        call(make(f"x;fault={fault}", retries=1))
    assert not caught.value.permanent
    assert server.stats()["requests"] == 2


@both
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_request_that_is_refused_is_not_repeated(make: Make, server: ModelServer, call: Call, status: int) -> None:
    with pytest.raises(ProviderError, match=rf"\({status}\)") as caught:
        call(make(f"x;fault={status}"))
    assert caught.value.permanent
    assert server.stats()["requests"] == 1


def test_a_wrong_key_is_seen_by_nobody(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError, match="key") as caught:
        call_plain(make(api_key=Secret("sk-test-mistyped")))
    seen = f"{caught.value} {caught.value.__cause__} {caplog.text}"
    assert "HTTP 401" in caplog.text
    assert "Incorrect API key provided: ***" in seen
    assert "mistyped" not in seen


@both
def test_a_silent_server_is_given_up_and_not_asked_twice(make: Make, server: ModelServer, call: Call) -> None:
    started = time.monotonic()
    with pytest.raises(ProviderError, match="in time"):
        call(make("x;fault=hang", read_timeout=0.5))
    assert time.monotonic() - started < PATIENCE
    assert server.stats()["requests"] == 1


def test_a_stream_that_falls_silent_is_given_up(make: Make) -> None:
    stream = iter(make("x;tokens=3;rate=0.05", read_timeout=0.5).stream(MESSAGES))
    assert next(stream) == "word0 "
    with pytest.raises(ProviderError, match="in time"):
        next(stream)


@both
def test_a_slow_first_byte_is_waited_for(make: Make, call: Call) -> None:
    assert call(make("x;delay=1")).startswith("You said")


@both
def test_a_server_that_is_away_is_reported_without_its_address(make: Make, call: Call) -> None:
    with ModelServer() as other:
        away = other.base_url
    with pytest.raises(ProviderError, match=r"^The model server cannot be reached\.$") as caught:
        call(make(base_url=Secret(away), retries=1))
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("cut", "cut short"),
        ("reset", "cut short"),
        ("no_end", "cut short"),
        ("garbage", "could not be understood"),
        ("error", "reported an error"),
        ("huge", "too large"),
    ],
)
def test_a_stream_that_breaks_says_so_after_what_it_said(
    make: Make, server: ModelServer, fault: str, detail: str
) -> None:
    # At a pace, so that the words are on their way before the reset, which takes back what was not read yet.
    stream = make(f"x;tokens=4;rate=10;fault={fault}").stream(MESSAGES)
    heard: list[str] = []
    with pytest.raises(ProviderError, match=detail) as caught:
        hear(stream, heard)
    assert heard[:2] == ["word0 ", "word1 "]
    assert "fell over" not in caught.value.detail
    assert server.stats()["requests"] == 1, "never again after the first token"
    assert stream.usage.completion_tokens == len(heard)


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("cut", "cut short"),
        ("reset", "cut short"),
        ("garbage", "understood"),
        ("html", "understood"),
        ("error", "error"),
    ],
)
def test_a_plain_answer_that_breaks_is_no_answer(make: Make, fault: str, detail: str) -> None:
    with pytest.raises(ProviderError, match=detail):
        call_plain(make(f"x;fault={fault}"))


def test_a_stream_that_is_a_web_page_is_not_understood(make: Make) -> None:
    with pytest.raises(ProviderError, match="could not be understood"):
        call_streamed(make("x;fault=html"))


@both
def test_an_answer_that_was_filtered_is_an_error(make: Make, call: Call) -> None:
    with pytest.raises(ProviderError, match="content filter"):
        call(make("x;fault=filter"))


@pytest.mark.parametrize("fault", ["no_usage", "no_done", "unframed", "linger"])
def test_servers_with_habits_of_their_own_are_understood(make: Make, fault: str) -> None:
    stream = make(f"x;fault={fault}").stream(MESSAGES)
    assert "".join(stream) == ECHO
    assert stream.finish_reason == "stop"
    assert stream.usage.prompt_tokens > 0
    assert stream.usage.completion_tokens > 0


def test_uncounted_tokens_of_a_plain_answer_are_estimated(make: Make) -> None:
    usage = make("x;fault=no_usage").complete(MESSAGES).usage
    assert usage.prompt_tokens == 6
    assert usage.completion_tokens > 10


def test_one_connection_serves_one_request_after_another(make: Make, server: ModelServer) -> None:
    provider = make()
    before = server.stats()["connections"]
    for call in (call_plain, call_streamed, call_plain, call_streamed):
        call(provider)
    with pytest.raises(ProviderError):
        call_plain(make("x;fault=404"))
    assert call_plain(provider) == ECHO
    # One of the provider, one of the other provider that met the 404.
    assert server.stats()["connections"] - before == 2


def test_a_stream_that_is_left_early_drops_its_connection_and_is_still_counted(make: Make, server: ModelServer) -> None:
    provider = make("x;tokens=1000;rate=50")
    stream = provider.stream(MESSAGES)
    assert next(iter(stream)) == "word0 "
    stream.close()
    stream.close()
    assert stream.usage.completion_tokens == 1
    assert list(stream) == []
    wait_until(lambda: server.stats()["gone"] == 1)
    assert provider.list_models() == ["echo", "slow"]


def test_a_loop_that_is_broken_off_drops_its_connection(make: Make, server: ModelServer) -> None:
    for _ in make("x;tokens=1000;rate=50").stream(MESSAGES):
        break
    wait_until(lambda: server.stats()["gone"] == 1)


def test_another_thread_may_close_a_stream_that_waits(make: Make) -> None:
    stream = make("x;tokens=3;rate=0.02", read_timeout=2 * PATIENCE).stream(MESSAGES)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.extend(stream))
    reader.start()
    time.sleep(0.5)
    stream.close()
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert heard == ["word0 "]


def test_one_provider_serves_many_threads_at_once(make: Make, server: ModelServer) -> None:
    provider = make("x;company=50", read_timeout=PATIENCE)
    with ThreadPoolExecutor(50) as pool:
        answers = set(pool.map(lambda _: call_plain(provider), range(50)))
    assert len(answers) == 1
    assert server.stats()["peak"] == 50


GREENLETS = """
from gevent import monkey; monkey.patch_all()
import json, sys, gevent
from tasks.jobs.environment import Secret
from tasks.sdk.generation import Message
from tasks.worker.providers import OpenAICompatibleProvider, ProviderSettings

def make(model):
    address, key = map(Secret, sys.argv[1:])
    return OpenAICompatibleProvider(ProviderSettings(base_url=address, api_key=key, model=model))

def run(count, function):
    greenlets = [gevent.spawn(function, number) for number in range(count)]
    gevent.joinall(greenlets, raise_error=True)
    return sum(greenlet.value for greenlet in greenlets)

def ask(number):
    said = f"I am number {number}"
    return said in plain.complete([Message("user", said)]).text

def listen(number):
    return len(list(streamed.stream([Message("user", "go")]))) == 20

def interrupt():
    stream = slow.stream([Message("user", "go")])
    with gevent.Timeout(1, False):
        return len(list(stream))
    return "interrupted"

plain, streamed, slow = make("x;company=300"), make("x;tokens=20;rate=10"), make("x;tokens=100;rate=2")
print(json.dumps([run(300, ask), run(200, listen), interrupt(), ask(1)]))
"""


def test_one_provider_serves_hundreds_of_greenlets_and_a_deadline_interrupts_it(server: ModelServer) -> None:
    command = [sys.executable, "-c", GREENLETS, server.base_url, KEY]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=100
    )  # one after the other, the streams would take 400 s
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == [300, 200, "interrupted", True]
    assert server.stats()["peak"] == 300
