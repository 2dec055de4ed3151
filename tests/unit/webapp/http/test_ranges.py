from __future__ import annotations

from http import HTTPStatus

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from webapp.http.problem import Problem
from webapp.http.ranges import Selection, select

SIZE = 100
ETAG = "abc"
WHOLE = Selection(HTTPStatus.OK, 0, SIZE)
NOTHING = Selection(HTTPStatus.NOT_MODIFIED, 0, 0)


def asked(method: str = "GET", size: int = SIZE, **headers: str) -> Selection:
    sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return select(Request(EnvironBuilder(method=method, headers=sent).get_environ()), ETAG, size)


def part(start: int, end: int) -> Selection:
    return Selection(HTTPStatus.PARTIAL_CONTENT, start, end)


def test_without_conditions_everything_is_wanted() -> None:
    assert asked() == WHOLE


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
        ("Bytes=99-99", 99, 100),
    ],
)
def test_one_range_is_a_part(value: str, start: int, end: int) -> None:
    assert asked(Range=value) == part(start, end)


def test_the_part_says_where_it_belongs() -> None:
    assert part(10, 20).content_range(SIZE) == "bytes 10-19/100"


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_that_holds_nothing_is_416_and_says_the_size(value: str) -> None:
    with pytest.raises(Problem) as caught:
        asked(Range=value)

    assert caught.value.status == 416
    assert caught.value.headers["Content-Range"] == "bytes */100"


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-1,5-6",
        "bytes=9-1",
        "bytes=-",
        "bytes=a-b",
        "lines=0-1",
        "bytes 0-1",
        "bytes=0-1;",
        "",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_no_single_range_is_answered_with_everything(value: str) -> None:
    assert asked(Range=value) == WHOLE


@pytest.mark.parametrize("value", ['"abc"', 'W/"abc"', '"x", "abc"', "*"])
def test_who_has_it_already_is_told_so(value: str) -> None:
    assert asked(If_None_Match=value) == NOTHING
    assert asked(If_None_Match=value, Range="bytes=0-9") == NOTHING
    assert asked("HEAD", If_None_Match=value) == NOTHING


def test_who_has_another_one_gets_this_one() -> None:
    assert asked(If_None_Match='"other"') == WHOLE


def test_if_match_refuses_another_one() -> None:
    assert asked(If_Match='"abc"', Range="bytes=0-9") == part(0, 10)
    with pytest.raises(Problem) as caught:
        asked(If_Match='"other"')
    assert caught.value.status == 412


@pytest.mark.parametrize(
    ("value", "resumed"),
    [('"abc"', True), ('"other"', False), ('W/"abc"', False), ("Wed, 21 Oct 2015 07:28:00 GMT", False)],
)
def test_if_range_resumes_only_what_is_surely_the_same(value: str, resumed: bool) -> None:
    assert asked(Range="bytes=50-", If_Range=value) == (part(50, 100) if resumed else WHOLE)


def test_head_has_no_parts() -> None:
    assert asked("HEAD", Range="bytes=0-9") == WHOLE


def test_the_answer_to_a_post_is_new_and_whole() -> None:
    assert asked("POST", Range="bytes=0-9", If_None_Match="*") == WHOLE


def test_an_empty_file_has_no_parts() -> None:
    assert asked(size=0) == Selection(HTTPStatus.OK, 0, 0)
    with pytest.raises(Problem):
        asked(size=0, Range="bytes=0-")
