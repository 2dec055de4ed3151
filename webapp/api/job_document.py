"""Write a job as the document that its owner reads."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import url_for

from tasks.jobs import ArtifactInfo, Job, Status
from webapp.services import services


def job_document(job: Job) -> dict[str, Any]:
    """The document of `job`, to be dumped by `JobSchema`. A pending job may cost one more question to Redis."""
    return job_summary(job, queue_of(job)) | {"result": services().engine.result(job)}


def job_summary(job: Job, queue: dict[str, Any] | None) -> dict[str, Any]:
    """The document of `job` without its result, to be dumped by `JobSummarySchema`. It costs nothing."""
    return {
        "id": job.id,
        "agent": job.agent,
        "status": job.status.value,
        "progress": {"fraction": job.progress_fraction, "message": job.progress_message},
        "queue": queue,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "attempts": job.attempt,
        "error": job.error,
        "usage": job.usage,
        "artifacts": [_artifact(job, each) for each in job.artifacts],
        "webhook": _webhook(job),
        "last_event_id": job.last_event_id or None,
        "expires_at": job.expires_at,
    }


def artifact_url(job: Job, name: str) -> str:
    """Where an artifact is fetched and deleted."""
    return url_for("jobs.get_artifact", job_id=job.id, name=name)


def queue_of(job: Job) -> dict[str, Any] | None:
    """Where a pending job stands; None for every other. Of one that was just submitted it is known."""
    if job.status is not Status.PENDING:
        return None
    return queue_document(*(job.place or services().engine.queue_place(job)))


def queue_document(position: int, seconds: float | None) -> dict[str, Any] | None:
    """A place in line. A worker may have taken the job since it was read: then there is none."""
    return {"position": position, "wait_seconds": seconds} if position else None


def _artifact(job: Job, info: ArtifactInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "media_type": info.media_type,
        "size": info.size,
        "removed": info.removed,
        "url": artifact_url(job, info.name),
    }


def _webhook(job: Job) -> dict[str, Any] | None:
    if job.webhook is None:
        return None
    log = [asdict(each) | {"at": datetime.fromtimestamp(each.at, UTC)} for each in job.deliveries]
    return {"url": job.webhook.url, "events": job.webhook.events, "deliveries": log}
