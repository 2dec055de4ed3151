"""What belongs to whom. Every look at something on behalf of a caller goes through here."""

from __future__ import annotations

from tasks.jobs import Conversation, Job, logs
from tasks.jobs.files import StoredFile
from tasks.jobs.removal import owner_of_gone
from tasks.pipelines.description import SHARED, Deployment, Workspace
from webapp.auth.principals import current_principal
from webapp.http.problem import Problem
from webapp.services import services

LONGEST_ID = 15  # digits

log = logs.get_logger(__name__)


def owned_job(job_id: str) -> Job:
    """The caller's job of that id. Unknown and foreign ids read 404 alike: ids are not to be probed.

    For a week after it was deleted or has expired, its owner reads 410 instead.
    """
    engine = services().engine
    job = engine.get(job_id)
    if job is None:
        raise gone_job() if owner_of_gone(engine, job_id) == current_principal().id else unknown_job()
    check_owner("job", job_id, job.owner)
    return job


def owned_conversation(conversation_id: str) -> Conversation:
    """The caller's conversation of that id. Unknown, expired and foreign ids all read 404."""
    found = services().engine.conversations.get(conversation_id)
    if found is None:
        raise unknown_conversation()
    check_owner("conversation", conversation_id, found.owner)
    return found


def owned_file(file_id: str) -> StoredFile:
    """The caller's file of that id. Unknown, expired, deleted and foreign ids all read 404."""
    found = services().files.get(file_id)
    if found is None:
        raise unknown("file")
    check_owner("file", file_id, found.owner)
    return found


def visible_deployment(name: str) -> Deployment:
    """The deployment that a URL names, if the caller may see its workspace. Otherwise there is none."""
    found = _named(name)
    if found is None:
        raise unknown_deployment()
    principal = current_principal()
    # The internal port serves every pipeline: its URLs are told by the owners of the pipelines.
    if principal.kind != "internal" and found.owner not in (SHARED, principal.id):
        log.warning("auth.foreign_deployment", id=name, principal=principal.id)
        raise unknown_deployment()
    return found


def visible_by_name(name: str) -> Deployment:
    """The deployment of that name, with its number or without: the caller's own goes before everybody's."""
    me = current_principal().id
    known = [each for each in services().registry.deployments() if each.name == name and each.owner in (SHARED, me)]
    return min(known, key=lambda each: (each.owner != me, each.id)) if known else visible_deployment(name)


def visible_workspace(identifier: int) -> Workspace | None:
    """A workspace of that id which the caller may see: their own, and what everybody sees."""
    found = services().registry.workspace(identifier)
    return found if found and found.owner in (SHARED, current_principal().id) else None


def own_workspace(identifier: int) -> Workspace | None:
    """A workspace of that id which the caller may change."""
    found = services().registry.workspace(identifier)
    return found if found and found.owner == current_principal().id else None


def unknown_deployment() -> Problem:
    """The answer to a URL of which nothing is deployed that the caller could see."""
    return Problem(404, "not_found", "Deployment not found")


def _named(name: str) -> Deployment | None:
    deployed, _, number = name.rpartition("-")
    if not number.isascii() or not number.isdecimal() or len(number) > LONGEST_ID:
        return None
    found = services().registry.deployment(int(number))
    return found if found and found.name == deployed else None


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


def unknown_conversation() -> Problem:
    """The answer to an id that is not one of the caller's conversations."""
    return unknown("conversation")


def unknown_job() -> Problem:
    """The answer to an id that is not one of the caller's jobs."""
    return unknown("job")


def gone_job() -> Problem:
    """The answer to the id of a job that was one of the caller's."""
    return Problem(410, "job_gone", "This job was deleted or has expired.")
