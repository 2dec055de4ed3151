"""The guard at the door: every view needs a principal unless it is listed here."""

from __future__ import annotations

import structlog
from flask import Flask, request

from webapp.auth.principals import enter
from webapp.auth.tickets import PARAMETER
from webapp.http.problem import Problem
from webapp.services import services

# Everything that answers without a key, and nothing else does.
PUBLIC = frozenset(
    {
        "system.hello",
        "system.health",
        "system.livez",
        "system.readyz",
        "docs.openapi_document",
        "docs.page",
        "docs.asset",
    }
)

# What browsers open without headers: these take a ticket instead of a key.
TICKETED = frozenset({"streams.get_job_events", "sockets.chat"})

log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Put the guard before every view of `app`."""
    app.before_request(guard)


def guard() -> None:
    """Refuse the request with 401 unless it is public or carries a key that is known.

    A path or a method that does not exist has no endpoint and passes: its answer is 404 or 405 whoever asks.
    """
    if request.endpoint is None or request.endpoint in PUBLIC:
        return
    if _has_ticket():
        return
    key = presented_key()
    if not key:
        raise unauthorized("This needs a key: send `X-API-Key` or `Authorization: Bearer`.", "Bearer")
    principal = services().verifier.principal(key)
    if principal is None:
        log.warning("auth.refused", reason="unknown key", endpoint=request.endpoint)
        raise unauthorized("This key is not valid.", 'Bearer error="invalid_token"')
    enter(principal)


def _has_ticket() -> bool:
    """Let the request in by its ticket, where tickets are taken. A key goes before it: the ticket stays unused."""
    ticket = request.args.get(PARAMETER, "")
    if not ticket or request.endpoint not in TICKETED or presented_key():
        return False
    principal = services().tickets.redeem(ticket)
    if principal is None:
        raise unauthorized("This ticket is not valid any more.", 'Bearer error="invalid_token"')
    enter(principal)
    return True


def presented_key() -> str:
    """The key that this request carries, `""` when it carries none. `X-API-Key` goes before `Authorization`."""
    key = request.headers.get("X-API-Key", "")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return key.strip() or (token.strip() if scheme.lower() == "bearer" else "")


def unauthorized(detail: str, challenge: str) -> Problem:
    """The answer to a request without a valid key."""
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
