from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tasks.jobs import Event
from webapp.http.sse import HEARTBEAT, comment, event_frame, follow, frame, retry, sse_response, text_frame

TOKEN = Event("1-1", "token", {"content": "a\nb"})
DONE = Event("1-2", "completed", {"usage": {}})


def test_an_event_is_its_id_its_type_and_one_line_of_json() -> None:
    assert event_frame(TOKEN) == b'id: 1-1\nevent: token\ndata: {"content":"a\\nb"}\n\n'


def test_data_alone_needs_no_id() -> None:
    assert frame({"done": True}) == b'data: {"done":true}\n\n'


def test_every_line_end_of_a_text_begins_a_data_line() -> None:
    assert text_frame("a\nb\r\nc\rd") == b"data: a\ndata: b\ndata: c\ndata: d\n\n"
    assert text_frame("[DONE]") == b"data: [DONE]\n\n"


@pytest.mark.parametrize("broken", ["1\n1", "1\r1", "1\0"])
def test_an_id_that_would_break_the_frame_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="line end"):
        frame({}, id=broken)


def test_a_comment_is_ignored_on_each_of_its_lines() -> None:
    assert comment("a\nb") == b": a\n: b\n\n"


def test_retry_is_a_whole_number() -> None:
    assert retry(1500) == b"retry: 1500\n\n"


def test_a_stream_begins_with_retry_and_ends_behind_its_terminal_event() -> None:
    assert list(follow([TOKEN, None, DONE])) == [retry(), event_frame(TOKEN), HEARTBEAT, event_frame(DONE)]


def test_a_stream_that_ends_before_its_job_says_when_to_come_back() -> None:
    *_, last = follow([TOKEN, None])

    assert last.startswith(b"retry: ")
    assert 2000 <= int(last.split()[1]) < 4000


def test_the_answer_is_neither_cached_nor_buffered_and_has_no_length(app: Flask) -> None:
    app.add_url_rule("/", view_func=lambda: sse_response(follow([DONE])))

    response = app.test_client().get("/")

    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert "Content-Length" not in response.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_subscription_is_closed_even_when_nothing_was_asked_for(app: Flask, method: str) -> None:
    closed: list[bool] = []

    def events() -> Iterator[Event]:
        yield TOKEN

    app.add_url_rule("/", view_func=lambda: sse_response(follow(events()), close=lambda: closed.append(True)))

    app.test_client().open("/", method=method, buffered=True)

    assert closed == [True]
