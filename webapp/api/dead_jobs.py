"""Jobs that were given up, for operators. Not part of the public document."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, url_for

from tasks.jobs import Job
from tasks.jobs.dead import DeadJobs
from webapp.auth.scopes import ADMIN, needs
from webapp.http.problem import Problem
from webapp.services import services

dead = Blueprint("dead_jobs", __name__, url_prefix="/v1/admin/dead-jobs")


@dead.get("")
@needs(ADMIN)
def list_dead() -> Response:
    """List them, the latest first."""
    return jsonify({"jobs": [summary(job) for job in _dead().all()]})


@dead.get("/<uuid:job_id>")
@needs(ADMIN)
def show(job_id: uuid.UUID) -> Response:
    """Read one, with its input."""
    job = _job(job_id)
    return jsonify(summary(job) | {"input": services().engine.payload(job)})


@dead.post("/<uuid:job_id>/retry")
@needs(ADMIN)
def retry(job_id: uuid.UUID) -> tuple[Response, int, dict[str, str]]:
    """Run it again, as a new job of its owner."""
    new = _dead().retry(_job(job_id))
    return jsonify({"id": new.id}), 202, {"Location": url_for("jobs.get_job", job_id=new.id)}


@dead.delete("/<uuid:job_id>")
@needs(ADMIN)
def purge(job_id: uuid.UUID) -> tuple[str, int]:
    """Forget it."""
    _dead().purge(_job(job_id))
    return "", 204


def summary(job: Job) -> dict[str, Any]:
    """A given-up job as an operator reads it."""
    return {
        "id": job.id,
        "agent": job.agent,
        "queue": job.queue,
        "owner": job.owner,
        "error": {"code": job.error.code, "detail": job.error.detail} if job.error else None,
        "losses": job.losses,
        "created_at": job.created_at,
        "completed_at": job.completed_at,
        "expires_at": job.expires_at,
        "request_id": job.request_id,
    }


def _dead() -> DeadJobs:
    return DeadJobs(services().engine)


def _job(job_id: uuid.UUID) -> Job:
    job = _dead().get(str(job_id))
    if job is None:
        raise Problem(404, "not_found", "There is no such job among those given up.")
    return job
