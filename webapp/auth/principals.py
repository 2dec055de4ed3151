"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from flask import g

Kind = Literal["static", "api_key"]

# There is one role so far: whoever may call at all may call everything that is their own.
EVERYTHING = frozenset({"*"})


@dataclass(frozen=True)
class Principal:
    """Whoever a request acts for. `id` owns the jobs; `name` is for people and logs."""

    id: str
    name: str
    kind: Kind
    scopes: frozenset[str] = EVERYTHING


# The key that the environment gives has no record, so its principal is always this one.
STATIC = Principal(id="static", name="static", kind="static")


def current_principal() -> Principal:
    """The principal of this request, as the guard has established it."""
    return cast(Principal, g.principal)


def enter(principal: Principal) -> None:
    """Make `principal` the one this request acts for."""
    g.principal = principal
