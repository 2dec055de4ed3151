"""What the documents that are answered have in common."""

from __future__ import annotations

import marshmallow as ma


class Document(ma.Schema):
    """Base of the answers. Clients must expect fields that are added later."""

    class Meta:
        """Members that are not described are allowed."""

        unknown = ma.EXCLUDE


class Part(Document):
    """An object inside a document, written out where it stands, so that it can be nullable there."""

    INLINE = True


def component_name(schema: ma.Schema | type[ma.Schema]) -> str | None:
    """The name of a schema in the OpenAPI document, None when it is to be written out in place."""
    kind = schema if isinstance(schema, type) else type(schema)
    return None if getattr(kind, "INLINE", False) else kind.__name__.removesuffix("Schema")
