"""What the service says about itself."""

from __future__ import annotations

import marshmallow as ma

from webapp.schemas.document import Document


class HelloSchema(Document):
    """A greeting, and where to go from here."""

    message = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    version = ma.fields.String(required=True)
    links = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)


class HealthSchema(Document):
    """The health of the service as its clients see it."""

    status = ma.fields.String(required=True)
    timestamp = ma.fields.DateTime(required=True)
    active_conversations = ma.fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Conversations that are kept, of all callers; null while they cannot be counted."},
    )


class ProbeSchema(Document):
    """The answer to a probe."""

    status = ma.fields.String(required=True)


HELLO = {
    "message": "Hello World!",
    "name": "Slipway",
    "version": "0.1.0",
    "links": {"documentation": "/docs", "openapi": "/openapi.json", "health": "/health", "agents": "/v1/agents"},
}

HEALTH = {"status": "healthy", "timestamp": "2026-01-15T09:30:00+00:00", "active_conversations": 0}
