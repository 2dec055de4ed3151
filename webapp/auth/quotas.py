"""Which limits there are, as they are written in the settings: `tier.class=10/minute`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from limits import RateLimitItem, parse

from webapp.auth.principals import TIER, Principal
from webapp.auth.scopes import ALL

OFF = "off"


def kind_of(scope: str) -> str:
    """The class of what needs this scope: run, read, infer, deploy or admin."""
    return scope.rpartition(":")[2]


KINDS = tuple(kind_of(scope) for scope in ALL)


class Quotas:
    """The limit of each tier for each class of requests. A tier that names none for a class has the default's."""

    def __init__(self, limits: Mapping[tuple[str, str], RateLimitItem]) -> None:
        self._limits = limits

    @classmethod
    def read(cls, entries: Iterable[str]) -> Quotas:
        """Read the entries of the setting. Raises ValueError naming the one that is wrong."""
        return cls(dict(_entry(each) for each in entries if each.lower() != OFF))

    def limit(self, principal: Principal, scope: str) -> RateLimitItem | None:
        """How often `principal` may do what needs `scope`; None is no limit."""
        kind = kind_of(scope)
        return self._limits.get((principal.tier, kind)) or self._limits.get((TIER, kind))


def rate(text: str) -> RateLimitItem | None:
    """Read a rate such as `10/minute`; `off` is none. Raises ValueError."""
    return None if text.lower() == OFF else parse(text)


def _entry(text: str) -> tuple[tuple[str, str], RateLimitItem]:
    name, _, written = text.partition("=")
    tier, _, kind = name.strip().rpartition(".")
    if not tier or kind not in KINDS:
        raise ValueError(f"{text!r} is not written as tier.class=10/minute, with a class of {', '.join(KINDS)}")
    return (tier, kind), parse(written.strip())
