"""An agent as callers read about it."""

from __future__ import annotations

import marshmallow as ma

from webapp.schemas.document import Document


class AgentSchema(Document):
    """An AI function that can be run."""

    name = ma.fields.String(required=True)
    summary = ma.fields.String(required=True)
    description = ma.fields.String(required=True)
    queue = ma.fields.String(required=True, metadata={"description": "The queue that its jobs wait in."})
    timeout = ma.fields.Float(required=True, metadata={"description": "Seconds that one attempt may take."})
    returns = ma.fields.String(
        required=True, metadata={"description": "The shape of its answer: text, tokens, object or artifact."}
    )
    accepts = ma.fields.String(required=True, metadata={"description": "The media type of its input."})
    input = ma.fields.Dict(required=True, metadata={"description": "JSON Schema of its input."})
    run_url = ma.fields.String(required=True, metadata={"description": "Where it is run, with POST."})


class AgentsSchema(Document):
    """All agents, by name."""

    agents = ma.fields.List(ma.fields.Nested(AgentSchema), required=True)


AGENT = {
    "name": "ai_service",
    "summary": "Analyse a text.",
    "description": "",
    "queue": "io",
    "timeout": 60.0,
    "returns": "text",
    "accepts": "application/json",
    "input": {
        "type": "object",
        "properties": {"param1": {"type": "string", "description": "The text to analyse"}},
        "required": ["param1"],
        "additionalProperties": False,
    },
    "run_url": "/v1/agents/ai_service/run",
}
