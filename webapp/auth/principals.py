"""Who calls."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import quote

from flask import g

from webapp.auth import scopes

Kind = Literal["static", "api_key", "oidc", "internal"]

# The tier of whoever has been given no other: it names the limits that apply.
TIER = "default"


@dataclass(frozen=True)
class Principal:
    """Whoever a request acts for. `id` owns the jobs; `name` is for people and logs.

    `expires_at` (seconds since the epoch, None: never) is when the credential ends: whoever keeps a connection open
    for this principal closes it then. `key_id` names the API key that was sent, if it was one.
    """

    id: str
    name: str
    kind: Kind
    scopes: frozenset[str] = scopes.USUAL
    tier: str = TIER
    expires_at: float | None = None
    key_id: str = ""


# The key that the environment gives has no record, so its principal is always this one.
STATIC = Principal(id="static", name="static", kind="static", scopes=scopes.STATIC)


# Whoever comes in by the internal port without a key. It may infer and do nothing else.
INTERNAL = Principal(id="internal", name="internal", kind="internal", scopes=frozenset({scopes.INFER}))


def on_behalf_of(principal: Principal, user: str) -> Principal:
    """`principal` acting for one of its users, who own their jobs apart from each other.

    The user's name is quoted: an owner is a part of key names, and one user must not spell another's.
    """
    return dataclasses.replace(principal, id=f"{principal.id}:{quote(user, safe='')}", name=user)


def current_principal() -> Principal:
    """The principal of this request, as the guard has established it."""
    return cast(Principal, g.principal)


def enter(principal: Principal) -> None:
    """Make `principal` the one this request acts for."""
    g.principal = principal
