"""An inference is a job: its body goes in as it came, and the bytes of its answer come out as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from flask import Response, g, request

from tasks.jobs import Batching, Engine, Job, NewJob, Status
from tasks.pipelines.description import INFER, INFER_SECONDS, QUEUE, Deployment, as_json, file_of
from tasks.pipelines.exchange import Wanted
from tasks.pipelines.open_inference import HEADER
from webapp.api.idempotency import HEADER as IDEMPOTENCY
from webapp.api.idempotency import idempotency_of, mark_replayed
from webapp.api.running import UNEXPLAINED, location, wait_for_end
from webapp.auth.principals import current_principal
from webapp.http.limits import body_in_pieces
from webapp.http.pipeline_errors import ENGINE
from webapp.http.problem import Problem
from webapp.http.request_id import current_request_id
from webapp.services import services

# A larger body is stored, and its job is never run together with others.
INLINE = 64 * 1024


def run_deployment(deployment: Deployment, wanted: Wanted) -> Response:
    """Run a deployment on the body of this request, and answer with what comes out."""
    budget = services().settings.sync_budget
    return response_of(wait_for_end(lambda job_id, reply: _submit(job_id, reply, deployment, wanted), budget))


def response_of(job: Job) -> Response:
    """The answer of a job that has ended; a `Problem` says what else became of it."""
    if job.status is Status.FAILED:
        error = job.error or UNEXPLAINED
        status = 400 if error.code == "invalid_input" else 504 if error.code == "timeout" else 500
        raise Problem(status, error.code, error.detail, headers=location(job), extra={"source": ENGINE})
    if job.status is Status.CANCELED:
        raise Problem(409, "canceled", "The job was canceled.", headers=location(job))
    if job.status is not Status.COMPLETED:
        raise Problem(504, "sync_budget_exceeded", "The job takes longer; it goes on.", headers=location(job))
    answer = services().engine.result(job)
    artifact = job.artifact(answer["artifact"]) if answer["artifact"] else None
    kind, headers = answer["media_type"], {}
    if answer.get("json_bytes"):  # a worker of an older version says nothing of it
        headers[HEADER] = str(answer["json_bytes"])
    if artifact is None:
        return Response(answer["body"].encode("latin-1"), mimetype=kind, headers=headers)
    headers["Content-Length"] = str(artifact.size)
    return Response(services().engine.artifacts.open(artifact.key), mimetype=kind, headers=headers)


def _submit(job_id: str, reply: str, deployment: Deployment, wanted: Wanted) -> Job:
    engine = services().engine
    body = _take_body(engine, job_id)
    try:
        plan = orjson.dumps(as_json(deployment))
        payload = {
            "plan": plan.decode(),
            "models": [file_of(model) for model in deployment.models],
            "wanted": asdict(wanted),
            "body": body.text,
            "upload": body.upload,
        }
        new = NewJob(
            id=job_id,
            agent=INFER,
            queue=QUEUE,
            owner=current_principal().id,
            timeout=INFER_SECONDS,
            payload=payload,
            request_id=current_request_id(),
            idempotency=idempotency_of({"wanted": asdict(wanted), "body": body.digest}),
            batching=None if body.upload else _batching(deployment, plan),
            reply=reply,
        )
        job = engine.submit(new)
    except BaseException:
        _forget(engine, body)
        raise
    if job.id != job_id:  # a request that was sent before
        _forget(engine, body)
        mark_replayed()
    g.job_id = job.id
    return job


def _batching(deployment: Deployment, plan: bytes) -> Batching | None:
    """With whom the job may be run: with those of the very same plan."""
    size, delay = deployment.batching.max_batch, deployment.batching.max_delay
    return Batching(hashlib.sha256(plan).hexdigest(), size, delay) if size > 1 else None


@dataclass(frozen=True)
class Body:
    """A body that was taken: with the job when it is small, each byte a character; otherwise stored beside it."""

    digest: str
    text: str = ""
    upload: dict[str, Any] | None = None


def _take_body(engine: Engine, job_id: str) -> Body:
    if not request.content_length:
        raise Problem(400, "empty_body", "The body is empty.")
    digest = hashlib.sha256()
    pieces = _hashed(digest)
    if request.content_length <= INLINE:
        text = b"".join(pieces).decode("latin-1")
        return Body(digest.hexdigest(), text)
    key = f"{job_id}/0/body"
    size = engine.artifacts.put(key, pieces)
    return Body(digest.hexdigest(), "", {"name": "body", "media_type": request.mimetype, "size": size, "key": key})


def _hashed(digest: Any) -> Iterator[bytes]:
    for piece in body_in_pieces():
        if IDEMPOTENCY in request.headers:  # nobody else asks for it
            digest.update(piece)
        yield piece


def _forget(engine: Engine, body: Body) -> None:
    if body.upload:
        engine.artifacts.delete(body.upload["key"])
