"""Run an agent for a request: submit its job, and wait for the end of it while the budget lasts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, url_for

from tasks import tracing
from tasks.jobs import Job, JobError, LimitReached, NewJob, NewTurn, Status, logs
from tasks.sdk import Agent, File, PayloadError
from webapp.api.credits import delivers
from webapp.api.idempotency import idempotency_of, mark_replayed
from webapp.api.uploads import payload_of, reference, stored
from webapp.api.webhook_header import webhook_of_request
from webapp.auth.ownership import unknown_job
from webapp.auth.principals import current_principal
from webapp.events.subscription import Subscription
from webapp.http.problem import Problem
from webapp.http.request_id import current_request_id
from webapp.services import services

# How a job that failed reads in HTTP. The first two are what only the agent sees of the input; every other code is a
# fault of the agent: 500.
FAILURES = {"invalid_input": 422, "unreadable_file": 422, "provider_error": 502, "timeout": 504}

log = logs.get_logger(__name__)

UNEXPLAINED = JobError("failed", "The job failed.")

# What becomes of a job that is run for a request, beside its result.
ERRORS = (409, 429, 502, 504)

TOO_MANY = {
    "queue": "Too many jobs are waiting at the moment. Try again later.",
    "waiting": "Too many of your jobs are waiting. Try again when some of them have ended.",
    "running": "Too many of your jobs are running. Try again when some of them have ended.",
    "files": "You keep too many files. Delete some of them, or try again when they have expired.",
}


def init_app(app: Flask) -> None:
    """Let every answer that a job made name its job, and answer 429 when the engine takes no more."""
    app.after_request(_name_job)
    app.register_error_handler(LimitReached, _too_many)


def start(agent: Agent, values: Mapping[str, Any], turn: NewTurn | None = None) -> tuple[Job, Subscription]:
    """Start a job of `agent` and listen to it from its first event on. Whoever takes the subscription closes it."""
    _check(agent, values)
    job_id = str(uuid.uuid4())
    # Attached first: whatever the job says after this is heard, however fast it is.
    subscription = services().hub.attach(job_id, new=True)
    try:
        job = _submit(agent, values, job_id, turn)
    except BaseException:
        subscription.close()
        raise
    if job.id != job_id:  # a request that was sent before: its job is listened to from its start
        subscription.close()
        subscription = services().hub.attach(job.id)
    return job, subscription


def run(agent: Agent, values: Mapping[str, Any], budget: float, turn: NewTurn | None = None) -> Job:
    """Run `agent` and return its job: ended, or as it stands when `budget` seconds are over."""
    _check(agent, values)
    return wait_for_end(lambda job_id, reply: _submit(agent, values, job_id, turn, reply), budget)


def wait_for_end(submit: Callable[[str, str], Job], budget: float) -> Job:
    """Submit a job and wait for its end. Returns it: ended, or as it stands when `budget` seconds are over.

    `submit` is given its id and the channel of its reply, and returns another job when the request was sent before.
    """
    job_id = str(uuid.uuid4())
    if budget <= 0:
        return submit(job_id, "")
    # Expected first: its end is heard, however soon it comes.
    with services().replies.expect(job_id) as reply:
        job = submit(job_id, reply.channel)
        if job.id == job_id:
            return reply.wait(budget) or _read(job_id)
    return job if job.status.ended else _wait_for(job.id, budget)


def _wait_for(job_id: str, budget: float) -> Job:
    """Wait for the end of a job that another request submitted: nobody but its events tells."""
    with services().hub.attach(job_id) as subscription:
        subscription.wait(budget)
    return _read(job_id)


def _read(job_id: str) -> Job:
    job = services().engine.get(job_id)
    if job is None:
        raise unknown_job()
    return job


def run_to_end(agent: Agent, values: Mapping[str, Any], turn: NewTurn | None = None) -> Job:
    """Run `agent` and return its completed job. A problem says what else became of it; the job goes on then."""
    job = run(agent, values, services().settings.sync_budget, turn)
    raise_unless_completed(job)
    if not job.status.ended:
        raise Problem(504, "sync_budget_exceeded", "The job takes longer; it goes on.", headers=location(job))
    return delivers(job)


def raise_unless_completed(job: Job) -> None:
    """Raise the problem that a job ended in, if it did."""
    if job.status is Status.FAILED:
        error = job.error or UNEXPLAINED
        raise Problem(FAILURES.get(error.code, 500), error.code, error.detail, headers=location(job))
    if job.status is Status.CANCELED:
        raise Problem(409, "canceled", "The job was canceled.", headers=location(job))


def location(job: Job) -> dict[str, str]:
    """The header that says where the job is read."""
    return {"Location": url_for("jobs.get_job", job_id=job.id)}


class _Replayed(Exception):
    """The request was sent before. Not an error: it takes the files that were stored for this time away."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.id)
        self.job = job


def _submit(agent: Agent, values: Mapping[str, Any], job_id: str, turn: NewTurn | None, reply: str = "") -> Job:
    """Submit the job. With an idempotency key that is known it is the job of the first request, of another id."""
    try:
        job = _submit_new(agent, values, job_id, turn, reply)
    except _Replayed as replayed:
        job = replayed.job
        mark_replayed()
    except OSError as error:
        # What cannot be kept is not accepted: a file or a large input did not fit, and nothing of it is left.
        log.exception("store.failed")
        raise Problem(503, "storage_unavailable", "Files cannot be stored.", headers={"Retry-After": "5"}) from error
    g.job_id = job.id
    return job


def _submit_new(agent: Agent, values: Mapping[str, Any], job_id: str, turn: NewTurn | None, reply: str) -> Job:
    engine = services().engine
    idempotency, webhook = idempotency_of(values), webhook_of_request()
    with stored(values, job_id, engine.artifacts) as payload:
        new = NewJob(
            id=job_id,
            agent=agent.name,
            queue=agent.queue,
            owner=current_principal().id,
            timeout=agent.timeout,
            payload=payload,
            request_id=current_request_id(),
            traceparent=tracing.current(),
            idempotency=idempotency,
            webhook=webhook,
            turn=turn,
            reply=reply,
        )
        job = engine.submit(new)
        if job.id != job_id:
            raise _Replayed(job)
    return job


def _check(agent: Agent, values: Mapping[str, Any]) -> None:
    """Build the agent's arguments as its worker will, so that what it would refuse is refused before it is a job."""
    try:
        agent.bind(payload_of(values, reference), _empty_file)
    except PayloadError as error:
        errors = [{"field": fault.field, "message": fault.problem} for fault in error.faults]
        raise Problem(422, "validation_failed", "The agent does not take this input.", errors=errors) from error


def _empty_file(reference: Mapping[str, Any]) -> File:
    return File(reference["name"], reference["media_type"], reference["size"], tuple)


def _too_many(error: LimitReached) -> Response:
    headers = {"Retry-After": str(error.retry_after)}
    return Problem(
        429, "limit_reached", TOO_MANY[error.limit], headers=headers, extra={"limit": error.limit}
    ).response()


def _name_job(response: Response) -> Response:
    if "job_id" in g:
        response.headers["X-Job-ID"] = g.job_id
    return response
