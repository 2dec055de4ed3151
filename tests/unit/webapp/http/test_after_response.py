from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, send_file
from werkzeug.test import EnvironBuilder

from webapp.http.after_response import after_response

Calls = list[bool]


@pytest.fixture
def calls() -> Calls:
    return []


def serve(app: Flask, calls: Calls, make: Callable[[], Response], method: str = "GET") -> Iterable[bytes]:
    """What a server iterates, before it has asked for a single piece."""
    app.add_url_rule(
        "/", view_func=lambda: after_response(make(), calls.append), methods=["GET", "POST"], endpoint=f"view-{method}"
    )
    environ = EnvironBuilder(path="/", method=method).get_environ()
    return app.wsgi_app(environ, lambda status, headers, exc_info=None: lambda data: None)


def close(body: Iterable[bytes]) -> None:
    body.close()  # type: ignore[attr-defined]


def pieces(*parts: bytes) -> Callable[[], Response]:
    return lambda: Response(iter(parts), headers={"Content-Length": str(sum(map(len, parts)))})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_that_was_taken_whole_is_delivered(app: Flask, calls: Calls, method: str) -> None:
    body = serve(app, calls, pieces(b"a", b"b"), method)
    assert b"".join(body) == b"ab"
    assert calls == []

    close(body)

    assert calls == [True]


def test_closing_twice_calls_once(app: Flask, calls: Calls) -> None:
    body = serve(app, calls, pieces(b"a"))
    list(body)

    close(body)
    close(body)

    assert calls == [True]


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_a_body_that_was_given_up_is_not_delivered(app: Flask, calls: Calls, taken: int) -> None:
    body = serve(app, calls, pieces(b"a", b"b"))
    iterator = iter(body)
    for _ in range(taken):
        next(iterator)

    # Two were taken, but the server has not come back for a third: sending the second has failed.
    close(body)

    assert calls == [False]


def test_head_is_not_a_delivery(app: Flask, calls: Calls) -> None:
    body = serve(app, calls, pieces(b"a"), "HEAD")
    assert list(body) == []

    close(body)

    assert calls == [False]


def test_a_body_that_fails_is_not_delivered(app: Flask, calls: Calls) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the disk is gone")

    body = serve(app, calls, lambda: Response(broken()))
    with pytest.raises(OSError, match="the disk is gone"):
        list(body)
    close(body)

    assert calls == [False]


def test_a_body_shorter_than_its_length_is_not_delivered(app: Flask, calls: Calls) -> None:
    body = serve(app, calls, lambda: Response(iter([b"a"]), headers={"Content-Length": "2"}))
    list(body)
    close(body)

    assert calls == [False]


@pytest.mark.parametrize("status", [206, 404, 500])
def test_a_part_or_an_error_is_not_a_delivery(app: Flask, calls: Calls, status: int) -> None:
    body = serve(app, calls, lambda: Response(iter([b"a"]), status))
    list(body)
    close(body)

    assert calls == [False]


def test_a_passed_through_file_is_seen_to_its_end(app: Flask, calls: Calls) -> None:
    body = serve(app, calls, lambda: send_file(__file__))
    assert b"".join(body).startswith(b"from __future__")
    close(body)

    assert calls == [True]


def test_an_answer_in_memory_keeps_its_length(app: Flask, calls: Calls) -> None:
    app.add_url_rule("/", view_func=lambda: after_response(Response(["ä", "b"]), calls.append))

    response = app.test_client().get("/", buffered=True)

    assert (response.data.decode(), response.content_length, calls) == ("äb", 3, [True])


def test_the_source_of_the_body_is_closed_before_the_callback(app: Flask, calls: Calls) -> None:
    order: list[str] = []

    def source() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            order.append("closed")

    def view() -> Response:
        return after_response(Response(source()), lambda delivered: order.append(f"called {delivered}"))

    app.add_url_rule("/", view_func=view)
    body = app.wsgi_app(EnvironBuilder().get_environ(), lambda *_: lambda data: None)
    next(iter(body))
    close(body)

    assert order == ["closed", "called False"]


def test_a_callback_that_fails_is_logged_and_troubles_nobody(app: Flask, lines: list[dict[str, Any]]) -> None:
    def fail(delivered: bool) -> None:
        raise RuntimeError("no")

    app.add_url_rule("/", view_func=lambda: after_response(Response("a"), fail))

    assert app.test_client().get("/", buffered=True).text == "a"

    assert "after_response.failed" in [line["event"] for line in lines]


def test_an_answer_that_another_one_replaces_is_not_delivered(app: Flask, calls: Calls) -> None:
    app.add_url_rule("/", view_func=lambda: after_response(Response("a"), calls.append))

    @app.after_request
    def replace(response: Response) -> Response:
        return Response("another")

    assert app.test_client().get("/", buffered=True).text == "another"
    gc.collect()

    assert calls == [False]


def test_nobody_can_read_the_body_away_before_it_is_sent(app: Flask, calls: Calls) -> None:
    with app.test_request_context():
        response = after_response(Response(iter([b"a"])), calls.append)
        with pytest.raises(RuntimeError):
            response.get_data()
        response.close()

    assert calls == [False]
