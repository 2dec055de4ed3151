"""The end of a job: its result, its cancel, its deletion."""

from __future__ import annotations

import uuid
from typing import Any

from tasks.jobs.removal import delete_job
from webapp.api.credits import delivers
from webapp.api.job_document import job_document
from webapp.api.jobs import JOB_HEADERS, find_job, jobs
from webapp.api.running import location, raise_unless_completed
from webapp.http.problem import Problem
from webapp.schemas.job import COMPLETED_JOB, PENDING_JOB, JobResultSchema, JobSchema
from webapp.services import services

RESULT = {"result": "The text makes three points."}
CANCELED_JOB = COMPLETED_JOB | {"status": "canceled", "result": None, "usage": {}}
CANCELING_JOB = PENDING_JOB | {"status": "canceling", "queue": None, "attempts": 1}


@jobs.route("/v1/jobs/<uuid:job_id>/result")
@jobs.response(200, JobResultSchema, example=RESULT, headers=JOB_HEADERS)
@jobs.operation("get_result", errors=(404, 409, 410, 422, 502, 504))
def get_result(job_id: uuid.UUID) -> dict[str, Any]:
    """Read the result of a job that has completed.

    Before its end, and after a cancel, this answers 409; after a failure, the error of the job.
    """
    job = find_job(job_id)
    raise_unless_completed(job)
    if not job.status.ended:
        raise Problem(409, "not_ended", f"The job is {job.status.value}: it has no result yet.", headers=location(job))
    return {"result": services().engine.result(delivers(job))}


@jobs.route("/v1/jobs/<uuid:job_id>/cancel", methods=["POST"])
@jobs.response(200, JobSchema, example=CANCELED_JOB, headers=JOB_HEADERS, description="The job has ended.")
@jobs.alt_response(
    202,
    schema=JobSchema,
    example=CANCELING_JOB,
    headers=JOB_HEADERS,
    description="The job is running and will stop within seconds: `canceling` until it has.",
    success=True,
)
@jobs.operation("cancel_job", errors=(404, 410))
def cancel_job(job_id: uuid.UUID) -> tuple[dict[str, Any], int]:
    """Cancel a job. A waiting one never starts, a running one is stopped, and one that has ended stays as it is."""
    job = find_job(job_id)
    if not job.status.ended:
        services().engine.cancel(job)
        job = find_job(job_id)
    return job_document(job), 200 if job.status.ended else 202


@jobs.route("/v1/jobs/<uuid:job_id>", methods=["DELETE"])
@jobs.response(204, description="The job, its events and its files are gone.", headers=JOB_HEADERS)
@jobs.operation("delete_job", errors=(404, 409, 410))
def delete(job_id: uuid.UUID) -> None:
    """Delete a job that has ended, with its events and files. For a week you read 410 in its place, others 404."""
    status = delete_job(services().engine, find_job(job_id))
    if status is not None:
        raise Problem(409, "not_ended", f"The job is {status.value}. Cancel it, and delete it when it has ended.")
