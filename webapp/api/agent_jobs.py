"""Start an agent and come back for its result later."""

from __future__ import annotations

from typing import Any

from tasks.sdk import Agent
from webapp.api.blueprint import Blueprint, Decorator
from webapp.api.job_document import job_document
from webapp.api.running import location, run
from webapp.schemas.job import PENDING_JOB, JobSchema

HEADERS = {name: name for name in ("Location", "X-Job-ID", "Idempotency-Replayed")}

Answer = tuple[dict[str, Any], int, dict[str, str]]


def add_jobs(agents: Blueprint, agent: Agent, takes_input: Decorator) -> None:
    """Add the endpoint that makes a job of `agent` and does not wait for it."""
    name = f"create_job_{agent.name}"

    @agents.route(f"/v1/agents/{agent.name}/jobs", methods=["POST"], endpoint=name)
    @takes_input
    @agents.response(
        202,
        JobSchema,
        example=PENDING_JOB | {"agent": agent.name},
        headers=HEADERS,
        description="The job is accepted; `Location` tells where to read it.",
    )
    @agents.operation(
        name,
        errors=(429,),
        makes_job=True,
        summary=f"{agent.summary.rstrip('.')}, in the background.",
        description=agent.description,
    )
    def create_job(values: dict[str, Any]) -> Answer:
        """Start an agent."""
        job = run(agent, values, 0)
        return job_document(job), 202, location(job)
