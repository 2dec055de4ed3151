"""What browsers must be told: which pages may call, and what an answer may do in them."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, g, request

# Readable by every page: importers fetch it from theirs. It holds no secret and takes no key.
OPEN_TO_ALL = frozenset({"docs.openapi_document"})

EXPOSED = (
    "Content-Disposition, Content-Location, ETag, Idempotency-Replayed, Location, NVMCreditsConsumed, "
    "Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Conversation-ID, X-Job-ID, "
    "X-Request-ID"
)
ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Range, Webhook, "
    "X-API-Key, X-On-Disconnect, X-Request-ID"
)
ALLOWED_METHODS = "GET, POST, DELETE"
PREFLIGHT_SECONDS = "600"  # what browsers that cap it low use anyway

SECURITY_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

# A year, as browsers' preload lists ask for. Said over TLS only: elsewhere browsers ignore it.
HSTS = "max-age=31536000"

# Answers are data; a page that needs more sets its own policy.
POLICY = "default-src 'none'; frame-ancestors 'none'"
# A browser's viewer loads the PDF into a page of its own, which the sources of the PDF's answer would bind.
PDF_POLICY = "frame-ancestors 'none'"


def init_app(app: Flask, origins: Collection[str]) -> None:
    """Answer preflights of the pages in `origins`, and put the headers on every answer of `app`."""

    def preflight() -> Response | None:
        wanted = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        # Before the guard, because a preflight never carries a key.
        return Response(status=204) if wanted and request.headers.get("Origin") in origins else None

    app.before_request(preflight)
    app.after_request(lambda response: _secure(_share(response, origins)))


def _share(response: Response, origins: Collection[str]) -> Response:
    if request.endpoint in OPEN_TO_ALL:
        response.headers["Access-Control-Allow-Origin"] = "*"
    elif origins:
        # A cache must not give one origin's answer to another.
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin in origins:
            _allow(response, origin)
    return response


def _allow(response: Response, origin: str) -> None:
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if "principal" in g:
        # An answer to somebody is theirs: shared caches know `Authorization`, but not `X-API-Key`.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    policy = PDF_POLICY if response.mimetype == "application/pdf" else POLICY
    response.headers.setdefault("Content-Security-Policy", policy)
    return response
