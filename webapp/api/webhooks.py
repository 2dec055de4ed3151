"""Webhooks of jobs: deliver once more, and read the secret that they are signed with."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Flask

from tasks.jobs.webhooks.outbox import redeliver
from tasks.jobs.webhooks.signing import secret_of, shown
from webapp.api.blueprint import Blueprint
from webapp.api.job_document import job_document
from webapp.api.jobs import JOB_HEADERS, find_job
from webapp.api.running import location
from webapp.auth.principals import current_principal
from webapp.http.problem import Problem
from webapp.openapi import Api
from webapp.schemas.job import COMPLETED_JOB, JobSchema
from webapp.schemas.webhook import SecretSchema
from webapp.services import services

webhooks = Blueprint("webhooks", __name__, "Be called when a job has ended.")


def register(_: Flask, api: Api) -> None:
    """Serve the endpoints."""
    api.register_blueprint(webhooks)


@webhooks.route("/v1/jobs/<uuid:job_id>/webhook/redeliver", methods=["POST"])
@webhooks.response(
    202, JobSchema, example=COMPLETED_JOB, headers=JOB_HEADERS, description="It will be delivered again."
)
@webhooks.operation("redeliver_webhook", errors=(404, 409, 410))
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


@webhooks.route("/v1/webhooks/secret")
@webhooks.response(200, SecretSchema, example={"secret": "whsec_c2xpcHdheS1leGFtcGxlLXNlY3JldC1vZi0zMi1ieXQ="})
@webhooks.operation("get_webhook_secret")
def get_webhook_secret() -> dict[str, str]:
    """Read the secret that your webhooks are signed with. Only you and this service have it."""
    secret = services().engine.settings.webhook_secret
    return {"secret": shown(secret_of(secret, current_principal().id))}
