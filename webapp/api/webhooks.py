"""Webhooks of jobs: deliver once more, and read the secret that they are signed with."""

from __future__ import annotations

import uuid
from typing import Any

from tasks.jobs.webhooks.outbox import redeliver
from tasks.jobs.webhooks.signing import secret_of, shown
from webapp.api.job_document import job_document
from webapp.api.jobs import JOB_HEADERS, find_job, jobs
from webapp.api.running import location
from webapp.auth.principals import current_principal
from webapp.http.problem import Problem
from webapp.schemas.job import COMPLETED_JOB, JobSchema
from webapp.schemas.webhook import SecretSchema
from webapp.services import services


@jobs.route("/v1/jobs/<uuid:job_id>/webhook/redeliver", methods=["POST"])
@jobs.response(202, JobSchema, example=COMPLETED_JOB, headers=JOB_HEADERS, description="It will be delivered again.")
@jobs.operation("redeliver_webhook", errors=(404, 409, 410))
def redeliver_webhook(job_id: uuid.UUID) -> dict[str, Any]:
    """Tell the receiver of a job's end once more, whatever became of the earlier tries."""
    job = find_job(job_id)
    if job.webhook is None:
        raise Problem(404, "not_found", "The job has no webhook.")
    if not job.status.ended:
        raise Problem(409, "not_ended", "The job has not ended: there is nothing to tell yet.", headers=location(job))
    engine = services().engine
    redeliver(engine.redis, engine.keys, job.id)
    return job_document(job)


@jobs.route("/v1/webhooks/secret")
@jobs.response(200, SecretSchema, example={"secret": "whsec_c2xpcHdheS1leGFtcGxlLXNlY3JldC1vZi0zMi1ieXQ="})
@jobs.operation("get_webhook_secret", errors=(404,))
def get_webhook_secret() -> dict[str, str]:
    """Read the secret that your webhooks are signed with. Only you and this service have it."""
    secret = services().engine.settings.webhook_secret
    if not secret:
        raise Problem(404, "not_found", "This service has no webhooks.")
    return {"secret": shown(secret_of(secret, current_principal().id))}
