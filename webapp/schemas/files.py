"""Files that were uploaded for jobs."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from webapp.schemas.document import Document

FIELD = "file"


class FileSchema(Document):
    """A file that was uploaded. Its id stands for it in the form of an agent that takes files."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True, metadata={"description": "As you named it."})
    media_type = ma.fields.String(
        required=True, metadata={"description": "What its first bytes say; where they say nothing, what you did."}
    )
    size = ma.fields.Integer(required=True, metadata={"description": "In bytes."})
    created_at = ma.fields.DateTime(required=True)
    expires_at = ma.fields.DateTime(
        required=True, metadata={"description": "When it is removed; every job that takes it begins its time anew."}
    )


FILE: dict[str, Any] = {
    "id": "5b0a1d0e-9a39-4f43-8e57-2f6f2d6f4a10",
    "name": "minutes.txt",
    "media_type": "text/plain",
    "size": 18204,
    "created_at": "2026-11-28T12:00:00+00:00",
    "expires_at": "2026-11-29T12:00:00+00:00",
}

# It is read while it arrives, and not by a schema.
UPLOAD_FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "additionalProperties": False,
                "properties": {FIELD: {"type": "string", "format": "binary", "description": "One file."}},
            },
            "example": {FIELD: "(a file)"},
        }
    },
}
