"""What the AI service answers."""

from __future__ import annotations

import marshmallow as ma

from webapp.schemas.document import Document


class AiServiceResultSchema(Document):
    """The analysis."""

    result = ma.fields.String(required=True, metadata={"description": "The analysis as text."})


RESULT = {"result": "The text makes three points."}
