"""Requests that no client would send, byte by byte to the real server."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import Stack

HEAD = b"Host: here\r\nX-API-Key: %s\r\n"
RUN = b"POST /v1/agents/echo/run HTTP/1.1\r\n"
BODY = b'{"text":"a"}'


def send(stack: Stack, request: bytes, timeout: float = 10.0) -> bytes:
    """Everything that the server says until it closes the connection or has nothing more to say."""
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=timeout) as connection:
        # A server that has seen enough may close before all of it was sent.
        with contextlib.suppress(OSError):
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError):
            while data := connection.recv(65_536):
                answer += data
        return answer


def head(stack: Stack) -> bytes:
    return HEAD % stack.api_key.encode()


def statuses(answer: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE)]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: here\r\n\r\n"

FRAMING = {
    "a length and chunks": b"Content-Length: 12\r\nTransfer-Encoding: chunked\r\n",
    "two lengths": b"Content-Length: 12\r\nContent-Length: 13\r\n",
    "a list of lengths": b"Content-Length: 12, 13\r\n",
    "a length with a sign": b"Content-Length: +12\r\n",
    "a negative length": b"Content-Length: -1\r\n",
    "a length with an underscore": b"Content-Length: 1_2\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "the coding identity": b"Transfer-Encoding: identity\r\n",
    "a compressed coding": b"Transfer-Encoding: gzip\r\n",
    "chunks in the middle": b"Transfer-Encoding: chunked, identity\r\n",
    "a space before the colon": b"Content-Length : 12\r\n",
    "a bare line feed": b"X-A: b\nContent-Length: 12\r\n",
    "a carriage return in a value": b"X-A: b\rX-C: d\r\n",
    "a folded line": b"X-A: b\r\n c\r\nContent-Length: 12\r\n",
    "a NUL in a value": b"X-A: b\0c\r\n",
    "a NUL in a name": b"X-\0A: b\r\n",
    "two hosts": b"Host: there\r\nContent-Length: 12\r\n",
    "a name with a space": b"X A: b\r\n",
}


@pytest.mark.parametrize("name", FRAMING)
def test_a_request_that_can_be_read_in_two_ways_is_answered_once_and_hung_up_on(stack: Stack, name: str) -> None:
    request = RUN + head(stack) + b"Content-Type: application/json\r\n" + FRAMING[name] + b"\r\n" + BODY + SMUGGLED
    answer = send(stack, request)
    assert statuses(answer) in ([400], [501], [431]), answer
    assert b"smuggled" not in answer


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"3;ext=\x00\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n",
        b"3\r\nab",
    ],
    ids=["no size", "a bad extension", "a wrong size", "a negative size", "cut off"],
)
def test_malformed_chunks_are_the_callers_fault(stack: Stack, chunks: bytes) -> None:
    request = RUN + head(stack) + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert statuses(send(stack, request)) in ([400], [411])


def test_chunks_with_http_1_0_are_refused(stack: Stack) -> None:
    request = RUN.replace(b"1.1", b"1.0") + head(stack) + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED
    assert statuses(send(stack, request)) in ([400], [411])


def test_a_body_without_a_length_is_411(stack: Stack) -> None:
    request = RUN + head(stack) + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(send(stack, request + b"c\r\n" + BODY + b"\r\n0\r\n\r\n")) == [411]


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_two_megabytes_are_too_much(stack: Stack, framing: str) -> None:
    body = b'{"text":"' + b"x" * 2_000_000 + b'"}'
    framed = (
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        if framing == "length"
        else b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    )
    answer = send(stack, RUN + head(stack) + b"Content-Type: application/json\r\n" + framed)
    # A connection that is closed on a sender in the middle may take the answer with it.
    assert statuses(answer) in ([413], [411], [])


def test_a_body_that_stops_early_starts_no_job(stack: Stack) -> None:
    request = RUN + head(stack) + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n" + BODY
    assert statuses(send(stack, request)) == [400]


@pytest.mark.parametrize(
    ("request_line", "headers", "expected"),
    [
        (b"GET /%s HTTP/1.1\r\n" % (b"x" * 9000), b"", {414}),
        (b"GET /v1/agents HTTP/1.1\r\n", b"".join(b"X-%d: a\r\n" % n for n in range(200)), {431, 400}),
        (b"GET /v1/agents HTTP/1.1\r\n", b"X-Long: " + b"x" * 16_384 + b"\r\n", {431, 400}),
    ],
    ids=["a path of 9 kB", "200 headers", "a header of 16 kB"],
)
def test_long_heads_are_refused(stack: Stack, request_line: bytes, headers: bytes, expected: set[int]) -> None:
    answer = send(stack, request_line + head(stack) + headers + b"\r\n")
    [status] = statuses(answer)
    assert status in expected
    assert b"Content-Type: application/problem+json" in answer
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (document["status"], document["detail"]) == (status, "The request cannot be read.")


@pytest.mark.parametrize(
    ("method", "expected"),
    [("TRACE", {405}), ("CONNECT", {400, 404, 405}), ("DEBUG", {405}), ("get", {400, 405, 501}), ("G\x00T", {400})],
)
def test_strange_methods_are_refused(stack: Stack, method: str, expected: set[int]) -> None:
    answer = send(stack, f"{method} /v1/agents HTTP/1.1\r\n".encode() + head(stack) + b"Connection: close\r\n\r\n")
    assert set(statuses(answer)) <= expected, answer
    assert statuses(answer)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_the_method_is_the_one_that_was_used(stack: Stack, name: str) -> None:
    request = (
        b"GET /v1/agents/echo/run HTTP/1.1\r\n" + head(stack) + name.encode() + b": POST\r\nConnection: close\r\n\r\n"
    )
    assert statuses(send(stack, request)) == [405]


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\x7fb", "ключ".encode(), b"'\"<>;|`$(id)", b"k" * 8000])
def test_a_key_of_any_bytes_is_only_a_wrong_key(stack: Stack, value: bytes) -> None:
    request = b"GET /v1/agents HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX-API-Key: " + value + b"\r\n\r\n"
    assert statuses(send(stack, request)) in ([401], [400])


IDS = [
    "..%2f..%2fetc%2fpasswd", "%00", "%0d%0aSET%20a%201", "*", "KEYS%20*", "%ff%fe", "%E2%80%AE", "x" * 5000,
    "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11%0a", "EVAL%20%22return%201%22%200", "{job}", "..;/", "%c0%ae%c0%ae",
]  # fmt: skip
PATHS = ["/v1/jobs/{}", "/v1/agents/{}", "/v1/jobs/0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11/artifacts/{}"]


@pytest.mark.parametrize("path", PATHS)
def test_strange_ids_name_nothing(stack: Stack, path: str) -> None:
    for each in IDS:
        request = f"GET {path.format(each)} HTTP/1.1\r\n".encode() + head(stack) + b"Connection: close\r\n\r\n"
        answer = send(stack, request)
        assert statuses(answer) in ([404], [400], [422]), (each, answer)
        assert b"root:" not in answer


def test_a_log_line_cannot_be_forged(stack: Stack) -> None:
    forged = '%0a{"level":"error","event":"forged"}%1b[31m%25s${jndi:ldap://x}'
    lines = len(web_log(stack))
    request = f"GET /canary-{forged} HTTP/1.1\r\nUser-Agent: {forged}\r\nX-Request-ID: {forged}\r\n".encode()
    answer = send(stack, request + head(stack) + b"Connection: close\r\n\r\n")
    assert statuses(answer) == [404]
    new = [json.loads(line) for line in web_log(stack)[lines:] if "canary-" in line]
    assert len(new) == 1
    assert new[0]["event"] == "request"
    assert new[0]["path"].startswith("/canary-\n")
    assert not any('"event":"forged"' in line and "canary" not in line for line in web_log(stack)[lines:])


def web_log(stack: Stack) -> list[str]:
    return stack.log_path("web").read_text().splitlines()
