"""What the caller has used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tasks.jobs.accounts import account
from webapp.api.jobs import jobs
from webapp.auth.principals import current_principal
from webapp.schemas.usage import USAGE, UsageSchema, WindowSchema
from webapp.services import services

JOBS = ("completed", "failed", "canceled")
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")


@jobs.route("/v1/usage")
@jobs.arguments(WindowSchema(), location="query")
@jobs.response(200, UsageSchema, example=USAGE)
@jobs.operation("get_usage")
def get_usage(query: dict[str, Any]) -> dict[str, Any]:
    """Read what you have used in the last days: jobs, tokens and credits; and what is left of your monthly budget."""
    found = account(services().engine, current_principal().id, query["days"])
    budget = services().budgets.of(current_principal())
    return {
        "first_day": found.first,
        "last_day": found.last,
        "jobs": {name: found.counts.get(name, 0) for name in JOBS},
        "tokens": {name: found.counts.get(name, 0) for name in TOKENS},
        "credits": found.counts.get("credits", 0),
        "budget": budget and asdict(budget),
    }
