"""Agents: what there is, and one endpoint each to run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request, url_for

from tasks.sdk import Agent
from webapp.api.agent_jobs import add_jobs
from webapp.api.blueprint import MULTIPART, Blueprint, Decorator
from webapp.api.credits import delivers
from webapp.api.job_document import job_document
from webapp.api.preferences import Preferences
from webapp.api.running import ERRORS, location, raise_unless_completed, run
from webapp.api.streaming import ON_DISCONNECT, STREAM, also_streamed, cancels_on_leaving, prefers_stream, stream_agent
from webapp.http.problem import Problem
from webapp.openapi import json_schema
from webapp.schemas.agent import AGENT, AgentSchema, AgentsSchema
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.examples import example_input, example_result
from webapp.schemas.job import COMPLETED_JOB, PENDING_JOB, JobSchema
from webapp.schemas.uploads import takes_files
from webapp.services import services

RUN_HEADERS = {name: name for name in ("X-Job-ID", "Preference-Applied", "Idempotency-Replayed", "NVMCreditsConsumed")}

PREFER = {
    "in": "header",
    "name": "Prefer",
    "description": "`respond-async` answers 202 at once, `wait=N` after N seconds (RFC 7240).",
    "schema": {"type": "string"},
    "example": "wait=10",
}

Answer = tuple[dict[str, Any], int, dict[str, str]]


def blueprint(catalogue: Mapping[str, Agent], inputs: InputSchemas) -> Blueprint:
    """The endpoints of the agents in `catalogue`. Each has a route of its own, and so a schema in the document."""
    agents = Blueprint("agents", __name__, "The AI functions of this service.")
    _describe(agents, inputs)
    for agent in catalogue.values():
        _add_run(agents, agent, inputs)
        _add_stream(agents, agent, inputs)
        add_jobs(agents, agent, _takes_input(agents, agent, inputs))
    return agents


def _describe(agents: Blueprint, inputs: InputSchemas) -> None:
    @agents.route("/v1/agents")
    @agents.response(200, AgentsSchema, example={"agents": [AGENT]})
    @agents.operation("list_agents")
    def list_agents() -> dict[str, Any]:
        """List the agents."""
        return {"agents": [_agent_document(agent, inputs) for agent in services().catalogue.values()]}

    @agents.route("/v1/agents/<name>")
    @agents.response(200, AgentSchema, example=AGENT)
    @agents.operation("get_agent", errors=(404,))
    def get_agent(name: str) -> dict[str, Any]:
        """Read what an agent does and what it takes."""
        agent = services().catalogue.get(name)
        if agent is None:
            raise Problem(404, "not_found", "There is no such agent.")
        return _agent_document(agent, inputs)


def _add_run(agents: Blueprint, agent: Agent, inputs: InputSchemas) -> None:
    completed = COMPLETED_JOB | {"agent": agent.name, "result": example_result(agent)}
    pending = PENDING_JOB | {"agent": agent.name}

    @agents.route(f"/v1/agents/{agent.name}/run", methods=["POST"], endpoint=f"run_{agent.name}")
    @_takes_input(agents, agent, inputs)
    @agents.response(200, JobSchema, example=completed, headers=RUN_HEADERS)
    @agents.alt_response(
        202,
        schema=JobSchema,
        example=pending,
        headers=RUN_HEADERS | {"Location": "Location"},
        description="The job goes on; `Location` tells where to read it.",
        success=True,
    )
    @agents.operation(
        f"run_{agent.name}",
        errors=ERRORS,
        parameters=[PREFER, ON_DISCONNECT],
        makes_job=True,
        responses=also_streamed(),
        summary=agent.summary,
        description=agent.description,
    )
    def run_agent(values: dict[str, Any]) -> Answer | Response:
        """Run an agent."""
        cancels = cancels_on_leaving()
        return stream_agent(agent, values, cancels=cancels) if prefers_stream() else _run(agent, values)


def _add_stream(agents: Blueprint, agent: Agent, inputs: InputSchemas) -> None:
    @agents.route(f"/v1/agents/{agent.name}/stream", methods=["POST"], endpoint=f"stream_{agent.name}")
    @_takes_input(agents, agent, inputs)
    @agents.response(200, **STREAM)
    @agents.operation(
        f"stream_{agent.name}",
        errors=(400, 429),
        parameters=[ON_DISCONNECT],
        makes_job=True,
        summary=f"{agent.summary} (stream)",
        description=agent.description,
    )
    def stream(values: dict[str, Any]) -> Response:
        """Run an agent, and answer with what its job says as server-sent events."""
        return stream_agent(agent, values, cancels=cancels_on_leaving())


def _takes_input(agents: Blueprint, agent: Agent, inputs: InputSchemas) -> Decorator:
    example = example_input(agent)
    if takes_files(agent):
        return agents.form(inputs.text(agent), example=example)
    return agents.arguments(inputs.json(agent), location="json", example=example)


def _run(agent: Agent, values: Mapping[str, Any]) -> Answer:
    most = services().settings.sync_budget
    preferences = Preferences.parse(request.headers.get("Prefer", ""))
    job = run(agent, values, preferences.budget(most))
    raise_unless_completed(delivers(job))
    applied = preferences.applied(most)
    headers = {"Preference-Applied": applied} if applied else {}
    ended = job.status.ended
    return job_document(job), 200 if ended else 202, headers | ({} if ended else location(job))


def _agent_document(agent: Agent, inputs: InputSchemas) -> dict[str, Any]:
    files = takes_files(agent)
    schema = inputs.text(agent) if files else inputs.json(agent)
    return {
        "name": agent.name,
        "summary": agent.summary,
        "description": agent.description,
        "queue": agent.queue,
        "timeout": agent.timeout,
        "returns": agent.returns.kind.value,
        "accepts": MULTIPART if files else "application/json",
        "input": json_schema(schema),
        "run_url": url_for(f"agents.run_{agent.name}"),
    }
