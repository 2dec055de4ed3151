"""Tasks: the short way to background work. Each is a job."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import url_for

from tasks.jobs import Job
from tasks.sdk import Agent, Parameter, Scalar
from webapp.api.blueprint import Blueprint
from webapp.api.credits import delivers
from webapp.api.jobs import find_job
from webapp.api.running import run
from webapp.schemas.task import COMPLETED_TASK, PENDING_TASK, TaskSchema, task_input
from webapp.services import services

JOB_HEADERS = {"X-Job-ID": "X-Job-ID"}
CREATED_HEADERS = JOB_HEADERS | {"Location": "Location", "Idempotency-Replayed": "Idempotency-Replayed"}


def blueprint(catalogue: Mapping[str, Agent]) -> Blueprint:
    """The endpoints of tasks, for the agents in `catalogue` that need one text and nothing else."""
    page = Blueprint("tasks", __name__, "Background work on a text.")
    prompts = {agent.name: prompt for agent in catalogue.values() if (prompt := _prompt_of(agent))}
    if prompts:
        _add_create(page, catalogue, prompts)
    _add_get(page)
    return page


def _prompt_of(agent: Agent) -> Parameter | None:
    """The one parameter that the agent needs, if that is a text."""
    needed = [each for each in agent.parameters if each.required]
    return needed[0] if len(needed) == 1 and _is_text(needed[0]) else None


def _is_text(parameter: Parameter) -> bool:
    return isinstance(parameter.type, Scalar) and parameter.type.kind is str


def _add_create(page: Blueprint, catalogue: Mapping[str, Agent], prompts: Mapping[str, Parameter]) -> None:
    @page.route("/task", methods=["POST"])
    @page.arguments(task_input(prompts), example={"prompt": "A short text."})
    @page.response(
        202,
        TaskSchema,
        example=PENDING_TASK,
        headers=CREATED_HEADERS,
        description="The task is accepted; `Location` tells where to read it.",
    )
    @page.operation("create_task", errors=(429,), makes_job=True)
    def create_task(values: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
        """Start a task."""
        agent = catalogue[values["task_type"]]
        job = run(agent, {prompts[agent.name].name: values["prompt"]}, 0)
        return _document(job), 202, {"Location": url_for("tasks.get_task", task_id=job.id)}


def _add_get(page: Blueprint) -> None:
    @page.route("/task/<uuid:task_id>")
    @page.response(200, TaskSchema, example=COMPLETED_TASK, headers=JOB_HEADERS)
    @page.operation("get_task", errors=(404, 410))
    def get_task(task_id: uuid.UUID) -> dict[str, Any]:
        """Read a task: how it stands, and its result once it has one."""
        return _document(delivers(find_job(task_id)))


def _document(job: Job) -> dict[str, Any]:
    return {
        "task_id": job.id,
        "task_type": job.agent,
        "status": job.status.value,
        "progress": {"fraction": job.progress_fraction, "message": job.progress_message},
        "result": services().engine.result(job),
        "error": job.error,
        "created_at": job.created_at,
        "completed_at": job.completed_at,
    }
