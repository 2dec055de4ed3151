"""Jobs and their artifacts, as their owner sees them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response, g

from tasks.jobs import ArtifactInfo, Job
from webapp.api.blueprint import Blueprint
from webapp.api.credits import delivers
from webapp.api.job_document import job_summary, queue_of
from webapp.api.watching import etag_of, is_known, not_modified, validators, wait_for_change
from webapp.auth.ownership import owned_job
from webapp.http.downloads import gone, send_artifact
from webapp.http.problem import Problem
from webapp.schemas.job import COMPLETED_JOB, JobSchema
from webapp.services import services

jobs = Blueprint("jobs", __name__, "Runs of agents, and the files they made.")

JOB_HEADERS = {"X-Job-ID": "X-Job-ID"}
STATE_HEADERS = JOB_HEADERS | {"ETag": "ETag", "Preference-Applied": "Preference-Applied"}
FILE = {"type": "string", "format": "binary"}

PREFER = {
    "in": "header",
    "name": "Prefer",
    "description": "`wait=N` waits up to N seconds for the job (RFC 7240).",
    "schema": {"type": "string"},
    "example": "wait=10",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The `ETag` of the state that the client knows.",
    "schema": {"type": "string"},
    "example": 'W/"5f0c9a2e7d814b0e5f0c9a2e7d814b0e"',
}

Answer = tuple[dict[str, Any], int, dict[str, str]]


@jobs.route("/v1/jobs/<uuid:job_id>")
@jobs.response(200, JobSchema, example=COMPLETED_JOB, headers=STATE_HEADERS)
@jobs.alt_response(304, description="The job is as the client knows it.", success=True)
@jobs.operation("get_job", errors=(404, 410), parameters=[PREFER, IF_NONE_MATCH])
def get_job(job_id: uuid.UUID) -> Response | Answer:
    """Read a job: how it stands, and its result once it has one.

    With `Prefer: wait=N` the answer comes when the job has ended, or after N seconds. With `If-None-Match` besides, it
    comes as soon as the job says anything new.
    """
    job, applied = wait_for_change(find_job(job_id))
    queue = queue_of(job)
    etag = etag_of(job, queue)
    if is_known(etag):
        return not_modified(etag)
    return (
        job_summary(delivers(job), queue) | {"result": services().engine.result(job)},
        200,
        applied | validators(etag),
    )


@jobs.route("/v1/jobs/<uuid:job_id>/artifacts/<name>")
@jobs.response(
    200, FILE, content_type="*/*", description="The file, or with `Range` a part of it.", headers=JOB_HEADERS
)
@jobs.alt_response(206, schema=FILE, content_type="*/*", description="The part that `Range` asked for.", success=True)
@jobs.alt_response(304, description="The file is the one that the client has.", success=True)
@jobs.operation("get_artifact", errors=(404, 410, 416))
def get_artifact(job_id: uuid.UUID, name: str) -> Response:
    """Download a file that a job made. It stays until it is deleted or the job expires."""
    job = find_job(job_id)
    info = _artifact(job, name)
    store = services().engine.artifacts
    return send_artifact(store, info, job=delivers(job), disposition="attachment", filename=info.name)


@jobs.route("/v1/jobs/<uuid:job_id>/artifacts/<name>", methods=["DELETE"])
@jobs.response(204, description="The file is gone.", headers=JOB_HEADERS)
@jobs.operation("delete_artifact", errors=(404, 410))
def delete_artifact(job_id: uuid.UUID, name: str) -> None:
    """Delete a file that a job made."""
    job = find_job(job_id)
    services().engine.remove_artifact(job.id, _artifact(job, name).name)


def find_job(job_id: uuid.UUID) -> Job:
    """The caller's job that the path names. The answer will name it, too."""
    job = owned_job(str(job_id))
    g.job_id = job.id
    return job


def _artifact(job: Job, name: str) -> ArtifactInfo:
    info = job.artifact(name)
    if info is None:
        raise Problem(404, "not_found", "The job has no such artifact.")
    if info.removed:
        raise gone()
    return info
