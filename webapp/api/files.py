"""Upload a file once, and give its id to the jobs that read it."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from flask import request, url_for

from webapp.api.blueprint import MULTIPART, READING, Blueprint
from webapp.api.uploads import LONGEST_NAME
from webapp.auth.ownership import owned_file
from webapp.auth.principals import current_principal
from webapp.http.limits import accepts, takes_up_to
from webapp.http.multipart import receive_file
from webapp.schemas.files import FIELD, FILE, UPLOAD_FORM, FileSchema
from webapp.services import services

files = Blueprint("files", __name__, "Files that jobs read: uploaded once, used as often as you like.")


@files.route("/v1/files", methods=["POST"])
@files.response(201, FileSchema, example=FILE, headers={"Location": "Location"})
@files.operation("upload_file", errors=(422, *READING), requestBody=UPLOAD_FORM)
@accepts(MULTIPART)
@takes_up_to("MAX_FILE_BYTES")
def upload_file() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Upload a file for jobs to come: its id is taken wherever an agent takes a file."""
    incoming = receive_file(request, FIELD)
    name = incoming.name[:LONGEST_NAME] or FIELD
    made = services().files.add(current_principal().id, name, incoming.media_type, incoming.chunks)
    return asdict(made), 201, {"Location": url_for("files.get_file", file_id=made.id)}


@files.route("/v1/files/<uuid:file_id>")
@files.response(200, FileSchema, example=FILE)
@files.operation("get_file", errors=(404,))
def get_file(file_id: uuid.UUID) -> dict[str, Any]:
    """Read about a file that you uploaded."""
    return asdict(owned_file(str(file_id)))


@files.route("/v1/files/<uuid:file_id>", methods=["DELETE"])
@files.response(204, description="The file is gone.")
@files.operation("delete_file", errors=(404,))
def delete_file(file_id: uuid.UUID) -> None:
    """Remove a file. A job that has not read it yet will fail and say so."""
    services().files.delete(owned_file(str(file_id)))
