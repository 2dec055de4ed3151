"""What belongs to whom. Every look at something on behalf of a caller goes through here."""

from __future__ import annotations

import structlog

from tasks.jobs import Job
from webapp.auth.principals import current_principal
from webapp.http.problem import Problem
from webapp.services import services

log = structlog.get_logger(__name__)


def owned_job(job_id: str) -> Job:
    """The caller's job of that id. Unknown, expired and foreign ids all read 404: ids are not to be probed."""
    job = services().engine.get(job_id)
    if job is None:
        raise unknown_job()
    check_owner("job", job_id, job.owner)
    return job


def check_owner(kind: str, identifier: str, owner: str) -> None:
    """Raise the `Problem` of an id that does not exist when the thing it names is not the caller's.

    That somebody asked is a security event: ids cannot be guessed, so one of them has come into other hands.
    """
    principal = current_principal()
    if owner != principal.id:
        log.warning(f"auth.foreign_{kind}", id=identifier, principal=principal.id)
        raise unknown(kind)


def unknown(kind: str) -> Problem:
    """The answer to an id that is not one of the caller's things."""
    return Problem(404, "not_found", f"There is no such {kind}.")


def unknown_job() -> Problem:
    """The answer to an id that is not one of the caller's jobs."""
    return unknown("job")
