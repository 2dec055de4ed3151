"""How many tokens somebody may spend in a month.

What was spent is what the account says (tasks/jobs/accounts.py): it is counted in the step that ends a job, however the
job was asked for. Jobs that are running are not counted yet, so that a budget is passed by as much as they take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tasks.jobs import Engine
from tasks.jobs.accounts import month_so_far
from webapp.auth.principals import TIER, Principal
from webapp.http.problem import Problem

COUNTED = "total_tokens"


@dataclass(frozen=True)
class Budget:
    """The tokens of a month (UTC), what is spent of them, and when the next month begins."""

    tokens: int
    spent: int
    resets_at: datetime


class Budgets:
    """The monthly budgets (tokens) of each tier."""

    def __init__(self, engine: Engine, budgets: Mapping[str, str]) -> None:
        self._engine = engine
        self._budgets = {tier: int(tokens) for tier, tokens in budgets.items()}

    def of(self, principal: Principal) -> Budget | None:
        """Where `principal` stands; None is no limit, and then Redis is not asked."""
        tokens = self._budgets.get(principal.tier, self._budgets.get(TIER))
        if tokens is None:
            return None
        month = month_so_far(self._engine, principal.id)
        return Budget(tokens, month.counts.get(COUNTED, 0), _next_month(month.first))

    def check(self, principal: Principal) -> None:
        """Raise a `Problem` with 429 when the month's budget is spent."""
        budget = self.of(principal)
        if budget is None or budget.spent < budget.tokens:
            return
        left = (budget.resets_at - datetime.now(UTC)).total_seconds()
        raise Problem(
            429,
            "budget_spent",
            f"The {budget.tokens} tokens of this month are spent. The next begins at {budget.resets_at.isoformat()}.",
            headers={"Retry-After": str(max(1, round(left)))},
            extra={"limit": "tokens", "budget": budget.tokens, "spent": budget.spent},
        )


def _next_month(first: date) -> datetime:
    return datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
