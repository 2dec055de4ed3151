"""What is sent to a model server, and what is understood of its answers."""

from __future__ import annotations

import orjson
import pytest

from tasks.sdk.errors import ProviderError
from tasks.sdk.generation import Message, Usage
from tasks.worker.providers.wire import decode_object, encode_request, name_reason, take_choice, take_usage

HELLO = [Message("user", "Hello there")]


def test_half_a_character_does_not_break_the_request() -> None:
    sent = orjson.loads(encode_request({"model": "m"}, [Message("user", "a\ud83d and \ud83d\ude00")]))
    assert sent == {"model": "m", "messages": [{"role": "user", "content": "a\ufffd and 😀"}]}


@pytest.mark.parametrize("data", [b"", b"[1]", b"null", b'{"a', b"\xff{}"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ProviderError, match="could not be understood"):
        decode_object(data)


def test_an_error_object_is_an_error_and_its_words_stay_inside() -> None:
    with pytest.raises(ProviderError) as caught:
        decode_object(b'{"error": {"message": "out of memory on gpu-7"}}')
    assert "gpu-7" not in caught.value.detail
    assert "gpu-7" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    "delta", [{}, {"delta": None}, {"delta": {}}, {"delta": {"content": None}}, {"delta": {"role": "assistant"}}]
)
def test_a_chunk_without_text_says_nothing(delta: dict[str, object]) -> None:
    assert take_choice({"choices": [delta]}, "delta") == ("", None)
    assert take_choice({"choices": []}, "delta") == ("", None)
    assert take_choice({}, "delta") == ("", None)


@pytest.mark.parametrize("choices", [["text"], [{"delta": {"content": 7}}], [{"delta": "text"}], {"0": "text"}, 5])
def test_a_chunk_of_another_shape_is_refused(choices: object) -> None:
    with pytest.raises(ProviderError, match="could not be understood"):
        take_choice({"choices": choices}, "delta")


def test_an_answer_that_was_filtered_is_no_answer() -> None:
    with pytest.raises(ProviderError, match="content filter") as caught:
        take_choice({"choices": [{"message": {"content": "Well"}, "finish_reason": "content_filter"}]}, "message")
    assert caught.value.permanent


@pytest.mark.parametrize(
    "usage", [None, {}, [], {"prompt_tokens": 0, "completion_tokens": None}, {"prompt_tokens": "9"}]
)
def test_tokens_that_the_server_did_not_count_are_estimated(usage: object) -> None:
    assert take_usage({"usage": usage}, HELLO, "Good morning, Ada") == Usage(2, 4)
    assert take_usage({"usage": usage}, [], "") == Usage(1, 1)


def test_the_count_of_the_server_is_taken() -> None:
    assert take_usage({"usage": {"prompt_tokens": 9, "completion_tokens": 12}}, HELLO, "x") == Usage(9, 12)


@pytest.mark.parametrize(("reason", "name"), [("length", "length"), ("stop", "stop"), (None, "stop"), ("eos", "stop")])
def test_an_answer_ends_by_stop_or_by_length(reason: str | None, name: str) -> None:
    assert name_reason(reason) == name
