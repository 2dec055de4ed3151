"""Whether anybody can call."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.doctor.findings import Finding, State
from webapp.services import Services

FIX = "Make one: `flask keys create --name me`. Or set API_KEY to a long random text."


def keys(services: Services) -> Iterator[Finding]:
    """Look whether there is any key."""
    if services.settings.api_key or services.keys.any():
        yield Finding("keys", State.OK, "There is a key to call with.")
    elif services.tokens is not None:
        yield Finding("keys", State.OK, "There is no key; callers come with tokens of the issuer.")
    else:
        yield Finding("keys", State.FAULT, "There is no key, so that nobody can call, and web refuses to start.", FIX)
