"""Read a job conditionally: only if it has changed, or as soon as it does."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from flask import Response, request

from tasks.jobs import Job
from webapp.api.job_document import queue_of
from webapp.api.preferences import Preferences
from webapp.auth.ownership import owned_job
from webapp.services import services

Queue = dict[str, Any] | None


def etag_of(job: Job, queue: Queue) -> str:
    """A weak validator, made of what changes in a job: its result and its files follow from that."""
    removed = [each.name for each in job.artifacts if each.removed]
    state = [job.id, job.status.value, job.attempt, job.last_event_id, removed, queue, len(job.deliveries)]
    return hashlib.sha256(orjson.dumps(state)).hexdigest()[:32]


def is_known(etag: str) -> bool:
    """Whether the caller of this request has this state already."""
    return request.if_none_match.contains_weak(etag)


def not_modified(etag: str) -> Response:
    """The answer for a caller that has this state."""
    response = Response(status=304)
    response.headers.update(validators(etag))
    return response


def validators(etag: str) -> dict[str, str]:
    """The headers that let a caller ask again cheaply. A cache must ask each time: the job moves on."""
    return {"ETag": f'W/"{etag}"', "Cache-Control": "private, no-cache"}


def wait_for_change(job: Job) -> tuple[Job, dict[str, str]]:
    """Wait as long as `Prefer: wait=N` wants. Returns the job as it is then, and the headers that tell of the waiting.

    Without `If-None-Match` the end of the job is waited for; with it any event, unless there is news already. The wait
    ends early when this process is told to stop: the caller asks again and meets another one.
    """
    most = services().settings.sync_budget
    preferences = Preferences.parse(request.headers.get("Prefer", ""))
    if preferences.wait is None:
        return job, {}
    known = is_known(etag_of(job, queue_of(job)))
    if not job.status.ended and (known or not request.if_none_match):
        _listen(job, preferences.budget(most), to_its_end=not known)
        job = owned_job(job.id)
    applied = preferences.applied(most)
    return job, {"Preference-Applied": applied} if applied else {}


def _listen(job: Job, seconds: float, *, to_its_end: bool) -> None:
    with services().hub.attach(job.id, job.last_event_id) as subscription:
        for event in subscription.events(seconds):
            if event is not None and (event.terminal or not to_its_end):
                return
