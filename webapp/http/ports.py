"""Which of the ports of this server a request came in at. The socket says it, and no header does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def port_of(environ: WSGIEnvironment) -> int:
    """The port that a request came in at; 0 when the server does not tell."""
    sock: Any = environ.get("gunicorn.socket")
    return int(sock.getsockname()[1]) if sock is not None else 0
