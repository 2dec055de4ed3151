"""The AI service: the agent of that name as text, and its counterpart as a PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from tasks.jobs import ArtifactInfo, Job
from tasks.sdk import Agent
from webapp.api.blueprint import Blueprint, Decorator
from webapp.api.job_document import artifact_url
from webapp.api.running import ERRORS, run_to_end
from webapp.auth.scopes import RUN, needs
from webapp.http.after_response import after_response
from webapp.http.downloads import gone, send_artifact
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.ai_service import RESULT, AiServiceResultSchema
from webapp.schemas.examples import example_input
from webapp.schemas.uploads import takes_files
from webapp.services import services

TEXT = "ai_service"
BINARY = "ai_service_binary"
FILENAME = "result.pdf"
METHODS = ["GET", "POST", "OPTIONS"]

PDF = {"type": "string", "format": "binary"}
PDF_HEADERS = {name: name for name in ("X-Job-ID", "Content-Disposition", "Content-Location")}


@dataclass(frozen=True)
class Door:
    """One way to ask: a path, a method, and how the operation is called in the document."""

    path: str
    method: str
    operation: str

    @property
    def makes_job(self) -> bool:
        """Whether it takes the headers of that: only a POST can be said to be the same as an earlier one."""
        return self.method == "POST"

    def arguments(self, page: Blueprint, agent: Agent, inputs: InputSchemas) -> Decorator:
        """The decorator that reads the input where this method has it."""
        if self.method == "GET":
            return page.arguments(inputs.text(agent), location="query")
        return page.arguments(inputs.json(agent), location="json", example=example_input(agent))


def blueprint(catalogue: Mapping[str, Agent], inputs: InputSchemas) -> Blueprint:
    """The endpoints of those of the two agents that `catalogue` has. Files cannot be asked for here."""
    page = Blueprint("ai_service", __name__, "Ask a question about a text, answered as text or as a PDF.")
    page.before_request(refuse_head)
    for name, add in ((TEXT, _add_text), (BINARY, _add_binary)):
        agent = catalogue.get(name)
        if agent and not takes_files(agent):
            for door in _doors(name):
                add(page, door, agent, inputs)
    return page


def refuse_head() -> None:
    """Answer HEAD with 405: asking what the answer would be like must not start a job."""
    if request.method == "HEAD":
        raise MethodNotAllowed(valid_methods=METHODS)


def _doors(name: str) -> Iterator[Door]:
    for path, suffix in ((f"/{name}", ""), (f"/{name.replace('_', '-')}", "_dashed")):
        yield Door(path, "GET", f"get_{name}{suffix}")
        yield Door(path, "POST", f"post_{name}{suffix}")


def _add_text(page: Blueprint, door: Door, agent: Agent, inputs: InputSchemas) -> None:
    @page.route(door.path, methods=[door.method], endpoint=door.operation)
    @door.arguments(page, agent, inputs)
    @page.response(200, AiServiceResultSchema, example=RESULT, headers={"X-Job-ID": "X-Job-ID"})
    @page.operation(door.operation, errors=ERRORS, makes_job=door.makes_job)
    @needs(RUN)  # also with GET
    def ai_service(values: dict[str, Any]) -> dict[str, Any]:
        """Analyse a text, and answer with text."""
        return {"result": services().engine.result(run_to_end(agent, values))}


def _add_binary(page: Blueprint, door: Door, agent: Agent, inputs: InputSchemas) -> None:
    @page.route(door.path, methods=[door.method], endpoint=door.operation)
    @door.arguments(page, agent, inputs)
    @page.response(200, PDF, content_type="application/pdf", description="The analysis.", headers=PDF_HEADERS)
    @page.operation(door.operation, errors=(*ERRORS, 410), makes_job=door.makes_job)
    @needs(RUN)  # also with GET
    def ai_service_binary(values: dict[str, Any]) -> Response:
        """Analyse a text, and answer with a PDF. The file is removed after its delivery."""
        return _deliver(run_to_end(agent, values))


def _deliver(job: Job) -> Response:
    engine, grace = services().engine, services().settings.removal_grace
    info = _made(job)
    response = send_artifact(engine.artifacts, info, job=job, disposition="inline", filename=FILENAME)
    response.headers["Content-Location"] = artifact_url(job, info.name)

    def consume(delivered: bool) -> None:
        if delivered:
            engine.consume_artifact(job.id, info.name, grace)

    return after_response(response, consume)


def _made(job: Job) -> ArtifactInfo:
    info = job.artifact(job.result["name"])
    if info is None:
        raise gone()
    return info
