"""What the web server answers to a request that it cannot even read: a problem, like every other error.

gunicorn writes a page of HTML, which a client of an API cannot read; it has no setting for that.
"""

from __future__ import annotations

import json
import socket
import uuid
from http import HTTPStatus

from gunicorn import util

# Names that RFC 9110 has changed since Python took them from its predecessors.
TITLES = {414: "URI Too Long", 431: "Request Header Fields Too Large"}


def install() -> None:
    """Make gunicorn answer with problems, in this process."""
    util.write_error = write_problem


def write_problem(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:  # noqa: ARG001
    """Answer and say that the connection is over. `mesg` may quote the request, and is left out."""
    sock.sendall(answer(status_int))


def answer(status: int) -> bytes:
    """The whole answer, as it goes over the wire."""
    try:
        title = TITLES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        title = "Unknown Error"
    request_id = uuid.uuid4().hex
    document = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": "The request cannot be read." if status < HTTPStatus.INTERNAL_SERVER_ERROR else "It did not work.",
        "instance": "",
        "code": title.lower().replace(" ", "_").replace("-", "_"),
        "request_id": request_id,
    }
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status} {title}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
