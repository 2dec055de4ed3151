"""What nginx answers itself looks like what the application answers."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import requests

from deploy.local.stack import Stack
from deploy.local.valkey import free_port
from tests.support.edge import Edge
from webapp.http.problem import ProblemSchema, code_of, title_of

MEGABYTE = 1024 * 1024


def check_problem(answer: requests.Response, status: int) -> dict[str, Any]:
    """The problem in an answer, once it is one."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    problem: dict[str, Any] = answer.json()
    assert ProblemSchema().validate(problem) == {}
    assert problem["status"] == status
    assert problem["title"] == title_of(status)
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    if problem["type"] == "about:blank":
        assert problem["code"] == code_of(status)
    return problem


def chunks(count: int) -> Any:
    yield from (b"x" * 65_536 for _ in range(count))


def raw(edge: Edge, request: bytes) -> requests.Response:
    """Send bytes, and read the answer as `requests` would."""
    with edge.connect() as sock:
        sock.sendall(request)
        content = b""
        while piece := sock.recv(65_536):
            content += piece
    head, _, body = content.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    answer = requests.Response()
    answer.status_code = int(status.split()[1])
    answer.headers.update(dict(line.split(": ", 1) for line in lines))
    answer._content = body
    return answer


LARGE = {"with a length": lambda: b"x" * (MEGABYTE + 1), "in chunks": lambda: chunks(40)}


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE)
def test_a_body_over_the_limit(edge: Edge, stack: Stack, body: Callable[[], Any]) -> None:
    with edge.session(stack.api_key) as session:
        answer = session.post(f"{edge.url}/ai_service", data=body(), timeout=30)
    check_problem(answer, 413)


def test_a_body_in_chunks_below_the_limit_arrives_with_its_length(edge: Edge, stack: Stack) -> None:
    body = json.dumps({"param1": "A text. " * 100}).encode()
    pieces = (body[start : start + 100] for start in range(0, len(body), 100))
    with edge.session(stack.api_key) as session:
        headers = {"Content-Type": "application/json"}
        answer = session.post(f"{edge.url}/ai_service", data=pieces, headers=headers, timeout=70)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "path", ["/v1/files", "/v1/api/models/upload_and_convert", "/v1/api/pipelines/infer/a-1", "/v2/models/a/infer"]
)
def test_a_large_body_is_not_collected_here(edge: Edge, stack: Stack, path: str) -> None:
    """Nobody can fill this machine with what the application would refuse: it answers before the body is there."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50000000\r\n"
    with edge.connect() as sock:
        sock.sendall(head.encode() + b"\r\n" + b"x" * 100_000)
        assert b" 401 " in sock.recv(65_536)


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/docs/../metrics", "/admin/keys"]
)
def test_what_is_for_inside_is_not_here(edge: Edge, stack: Stack, path: str) -> None:
    # Not with `requests`: it would tidy the path up.
    answer = raw(edge, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    problem = check_problem(answer, 404)
    assert problem["detail"] == "There is nothing here."


def test_a_path_that_breaks_json_does_not_break_the_problem(edge: Edge) -> None:
    answer = raw(edge, b'GET /metrics/"x\\ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    assert check_problem(answer, 404)["instance"] == "/metrics/"


MALFORMED = {
    "no host": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "a long header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n", 431),
    "a long path": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    "TRACE": (b"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
    "two lengths": (
        b"POST /ai_service HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400,
    ),
    "length and chunks": (
        b"POST /ai_service HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\n", 400,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "status"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_requests(edge: Edge, request_: bytes, status: int) -> None:
    check_problem(raw(edge, request_), status)


def test_no_application(tmp_path: Any) -> None:
    with Edge(tmp_path, free_port()) as edge, edge.session() as session:
        answer = session.get(edge.url, timeout=10)
        check_problem(answer, 503)
        assert answer.headers["Retry-After"] == "2"


def test_http_is_refused_and_never_redirected(edge: Edge, stack: Stack) -> None:
    answer = requests.get(
        f"http://127.0.0.1:{edge.plain_port}/ai_service",
        headers={"X-API-Key": stack.api_key},
        allow_redirects=False,
        timeout=10,
    )
    assert check_problem(answer, 403)["code"] == "https_required"


def test_the_page_is_redirected(edge: Edge) -> None:
    answer = requests.get(f"http://localhost:{edge.plain_port}/docs", verify=str(edge.certificate), timeout=10)
    assert answer.url == f"{edge.url}/docs"
    assert answer.status_code == 200


def test_http_on_the_port_of_https(edge: Edge) -> None:
    answer = requests.get(f"http://127.0.0.1:{edge.port}/", timeout=10)
    assert check_problem(answer, 403)["code"] == "https_required"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_protocols_are_refused(edge: Edge) -> None:
    context = ssl.create_default_context(cafile=str(edge.certificate))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")  # or this side would refuse first
    with pytest.raises(OSError, match=r"(?i)protocol"):
        urllib.request.urlopen(f"{edge.url}/", context=context, timeout=10)
