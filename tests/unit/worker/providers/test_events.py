"""Server-sent events are read right however the network cuts them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.worker.providers.events import EventReader, EventTooLargeError

STREAM = (
    '\ufeff: comment\r\ndata: {"a": "é"}\r\n\r\nevent: x\ndata:one\ndata: two\n\ndata\n\n:\n\ndata: [DONE]\n\n'.encode()
)
EVENTS = ['{"a": "é"}'.encode(), b"one\ntwo", b"[DONE]"]


def read(*pieces: bytes, limit: int = 1_000) -> list[bytes]:
    reader = EventReader(limit)
    return [event for piece in pieces for event in reader.feed(piece)]


def test_comments_other_fields_and_several_lines_are_understood() -> None:
    assert read(STREAM) == EVENTS


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM))))
def test_a_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert read(*(STREAM[start:end] for start, end in itertools.pairwise(edges))) == EVENTS


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_of_the_standard_is_known(end: bytes) -> None:
    # The last CR of a stream waits for a possible LF; the comment behind it brings the next byte.
    assert read(b"data: 1" + end + end + b"data: 2" + end + end + b":") == [b"1", b"2"]


def test_an_event_without_data_is_none() -> None:
    assert read(b"data:\n\ndata: \n\ndata: x\n\n") == [b"x"]


def test_only_the_first_space_is_left_out() -> None:
    assert read(b"data:  x\n\n") == [b" x"]


@pytest.mark.parametrize("rest", [b"data: [DONE]", b"data: [DONE]\n", b"data: [DONE]\r"])
def test_the_end_of_the_stream_ends_the_last_event(rest: bytes) -> None:
    reader = EventReader(100)
    assert list(reader.feed(rest)) == []
    assert reader.flush() == b"[DONE]"
    assert reader.flush() is None


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(EventTooLargeError):
        read(*[b"x" * 100] * 11)


def test_an_event_of_endless_lines_is_refused() -> None:
    with pytest.raises(EventTooLargeError):
        read(*[b"data: " + b"x" * 100 + b"\n"] * 11)
