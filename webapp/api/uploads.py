"""The files of a request: those that come with it, and those that were uploaded before.

The former are stored before their job is submitted, and deleted when it is not accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from werkzeug.datastructures import FileStorage

from tasks.jobs import ArtifactStore
from webapp.auth.ownership import owned_file
from webapp.http.content import HEAD, fits
from webapp.http.problem import Problem
from webapp.schemas.fields import FileId
from webapp.services import services

PIECE = 64 * 1024  # what the store reads and writes at a time

# The name is the caller's own and only ever shown; this is what file systems allow.
LONGEST_NAME = 255

Refer = Callable[[str, FileStorage], dict[str, Any]]


def payload_of(values: Mapping[str, Any], refer: Refer) -> dict[str, Any]:
    """The payload of a job: the values, with what `refer` says instead of each file that came with them.

    Raises a `Problem` when the caller has no file of an id that is among them.
    """
    return {name: _replace(name, value, refer) for name, value in values.items()}


def reference(name: str, file: FileStorage, *, size: int = 0, key: str = "") -> dict[str, Any]:
    """What stands in a payload for the file of the parameter `name`."""
    media_type = file.mimetype or "application/octet-stream"
    return {"name": (file.filename or name)[:LONGEST_NAME], "media_type": media_type, "size": size, "key": key}


@contextmanager
def stored(values: Mapping[str, Any], job_id: str, store: ArtifactStore) -> Iterator[dict[str, Any]]:
    """Store the files among `values` and yield the payload of the job.

    When the block fails, the job was not accepted and the files are deleted.
    """
    keys: list[str] = []

    def put(name: str, file: FileStorage) -> dict[str, Any]:
        # Attempts count from 1, so that 0 holds what was there before the first one.
        key = f"{job_id}/0/{name}"
        _check_content(name, file)
        size = store.put(key, iter(lambda: file.stream.read(PIECE), b""))
        keys.append(key)
        return reference(name, file, size=size, key=key)

    try:
        yield payload_of(values, put)
    except BaseException:
        for key in keys:
            store.delete(key)
        raise


def _check_content(name: str, file: FileStorage) -> None:
    """Refuse a file that is not what it is said to be: an agent chooses its parser by that word."""
    head = file.stream.read(HEAD)
    file.stream.seek(0)
    if not fits(file.mimetype, head):
        fault = {"location": "body", "field": name, "message": f"This is no {file.mimetype}."}
        raise Problem(422, "validation_failed", "A file is not of the type that it says.", errors=[fault])


def _replace(name: str, value: Any, refer: Refer) -> Any:
    if isinstance(value, FileStorage):
        return refer(name, value)
    if isinstance(value, FileId):
        return _uploaded(name, value)
    if isinstance(value, list):
        return [_replace(f"{name}-{index}", each, refer) for index, each in enumerate(value)]
    return value


def _uploaded(name: str, file: FileId) -> dict[str, Any]:
    try:
        found = owned_file(file.id)
    except Problem as error:
        fault = {"location": "body", "field": name, "message": error.detail}
        raise Problem(422, "validation_failed", "A file is not there.", errors=[fault]) from error
    services().files.keep(found)
    return found.reference()
