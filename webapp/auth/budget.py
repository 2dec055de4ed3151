"""How many tokens somebody may spend in a month.

What was spent is counted where jobs finish, by `spend`; this module only says when it is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from tasks.jobs.keys import Keys
from webapp.auth.principals import TIER, Principal
from webapp.http.problem import Problem

# A month and a day, so that the counter of a month is there until the month is over wherever a clock is late.
KEPT_SECONDS = 32 * 86_400


class Budgets:
    """The monthly budgets (tokens) of each tier. Months are those of UTC."""

    def __init__(self, redis: Redis, names: Keys, budgets: Mapping[str, str]) -> None:
        self._redis = redis
        self._names = names
        self._budgets = {tier: int(tokens) for tier, tokens in budgets.items()}

    def spent(self, owner: str) -> int:
        """What `owner` has spent this month."""
        stored: Any = self._redis.get(self._names.tokens_spent(owner, _month()))
        return int(stored or 0)

    def spend(self, owner: str, tokens: int) -> int:
        """Count tokens, and return what is spent this month. To be called once for each job that ended."""
        name = self._names.tokens_spent(owner, _month())
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.incrby(name, tokens)
            pipe.expire(name, KEPT_SECONDS)
            return int(pipe.execute()[0])

    def check(self, principal: Principal) -> None:
        """Raise a `Problem` with 429 when the month's budget is spent. Redis is asked only where there is one."""
        budget = self._budgets.get(principal.tier, self._budgets.get(TIER))
        if budget is None or self.spent(principal.id) < budget:
            return
        raise Problem(
            429,
            "budget_spent",
            f"The {budget} tokens of this month are spent.",
            headers={"Retry-After": str(seconds_left())},
            extra={"limit": "tokens", "budget": budget},
        )


def seconds_left() -> int:
    """Seconds until the month is over."""
    now = datetime.now(UTC)
    following = now.replace(year=now.year + now.month // 12, month=now.month % 12 + 1, day=1)
    following = following.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, math.ceil((following - now).total_seconds()))


def _month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")
