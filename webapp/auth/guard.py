"""The guard at the door: every view needs a principal unless it is listed here."""

from __future__ import annotations

from flask import Flask, request

from tasks.jobs import logs
from webapp.auth import scopes, throttle
from webapp.auth.issuer import KeysUnavailable
from webapp.auth.principals import INTERNAL, Principal, enter, on_behalf_of
from webapp.auth.tickets import PARAMETER
from webapp.http.ports import port_of
from webapp.http.problem import Problem
from webapp.services import services

# Everything that answers without a key, and nothing else does.
PUBLIC = frozenset(
    {
        "system.hello",
        "system.health",
        "system.livez",
        "system.readyz",
        "open_inference.live",
        "open_inference.ready",
        "docs.openapi_document",
        "docs.page",
        "docs.asset",
        "playground.page",
        "playground.asset",
    }
)

# What browsers open without headers: these take a ticket instead of a key.
TICKETED = frozenset({"streams.get_job_events", "sockets.chat"})

# What the internal port answers without a key.
INTERNALLY = frozenset({"inference.infer", "inference.infer_named"})

# Asked every few seconds by whoever watches the process, who must not be told to come back later.
PROBES = frozenset({"system.health", "system.livez", "system.readyz", "open_inference.live", "open_inference.ready"})

# What may make a model write, and so costs of a budget.
SPENDING = frozenset({scopes.RUN, scopes.INFER})

# Whom a marketplace calls for. It is believed only when the marketplace's own key came with it.
USER_HEADER = "NVM-User-id"
DOTS_OF_A_TOKEN = 2  # header, claims and signature; no key of ours has one
# The issuer is asked again after 5 seconds at the earliest.
RETRY_AFTER = 5
LONGEST_USER = 256  # characters; wallets and DIDs have less than 100

log = logs.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Put the guard before every view of `app`."""
    app.before_request(guard)


def guard() -> None:
    """Refuse the request unless it is public, or carries a key that is known (401) and may do this (403).

    A path or a method that does not exist has no endpoint and passes: its answer is 404 or 405 whoever asks.
    """
    if request.endpoint is None or request.endpoint in PROBES:
        return
    if request.endpoint in PUBLIC:
        throttle.count_address()
        return
    principal = _by_ticket() or _by_port() or _acting(_authenticated())
    scope = scopes.needed(request.endpoint, request.method)
    enter(principal)
    admit(principal, scope)


def admit(principal: Principal, scope: str) -> None:
    """Count what `principal` does, and raise the `Problem` of why it may not: 403 or 429."""
    throttle.count_principal(principal, scope)
    _check_scope(principal, scope)
    if scope in SPENDING:
        services().budgets.check(principal)


def _authenticated() -> Principal:
    key = presented_key()
    if not key:
        throttle.count_address()
        raise unauthorized("This needs a key: send `X-API-Key` or `Authorization: Bearer`.", "Bearer")
    principal = identified(key)
    if principal is None:
        log.warning("auth.refused", reason="unknown key", endpoint=request.endpoint, address=request.remote_addr)
        throttle.count_failure()
        raise unauthorized("This key is not valid.", 'Bearer error="invalid_token"')
    return principal


def identified(credential: str) -> Principal | None:
    """Whose key or token this is, None when it is nobody's. Raises a `Problem` with 503 when that cannot be told."""
    known, tokens = services().verifier.principal(credential), services().tokens
    if known is not None or tokens is None or credential.count(".") != DOTS_OF_A_TOKEN:
        return known
    try:
        return tokens.principal(credential)
    except KeysUnavailable as error:
        detail = "The issuer of your token cannot be reached, so that nobody can tell whether it is valid."
        headers = {"Retry-After": str(RETRY_AFTER)}
        raise Problem(503, "issuer_unavailable", detail, headers=headers) from error


def _acting(principal: Principal) -> Principal:
    user = request.headers.get(USER_HEADER, "")
    if principal.kind != "static" or not user:
        return principal
    if len(user) > LONGEST_USER or not user.isprintable():
        raise Problem(400, "invalid_user", f"{USER_HEADER} must have {LONGEST_USER} printable characters at most.")
    return on_behalf_of(principal, user)


def _check_scope(principal: Principal, scope: str) -> None:
    if scope in principal.scopes:
        return
    log.warning("auth.scope_missing", scope=scope, principal=principal.id, endpoint=request.endpoint)
    challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
    raise Problem(
        403,
        "insufficient_scope",
        f"This needs the scope `{scope}`, which your key does not have.",
        headers={"WWW-Authenticate": challenge},
        extra={"scope": scope},
    )


def _by_ticket() -> Principal | None:
    """Who comes with a ticket, where tickets are taken. A key goes before it: the ticket stays unused."""
    ticket = request.args.get(PARAMETER, "")
    if not ticket or request.endpoint not in TICKETED or presented_key():
        return None
    principal = services().tickets.redeem(ticket)
    if principal is None:
        throttle.count_failure()
        raise unauthorized("This ticket is not valid any more.", 'Bearer error="invalid_token"')
    return principal


def _by_port() -> Principal | None:
    """Who comes in by the internal port without a key."""
    return INTERNAL if request.endpoint in INTERNALLY and came_internally() and not presented_key() else None


def came_internally() -> bool:
    """Whether this request came in by the internal port: the server says which socket it was, no header does."""
    port = services().settings.internal_port
    return bool(port) and port_of(request.environ) == port


def presented_key() -> str:
    """The key that this request carries, `""` when it carries none. `X-API-Key` goes before `Authorization`."""
    key = request.headers.get("X-API-Key", "")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return key.strip() or (token.strip() if scheme.lower() == "bearer" else "")


def unauthorized(detail: str, challenge: str) -> Problem:
    """The answer to a request without a valid key."""
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
