"""Messages, answers and conversations."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from tasks.sdk import Agent
from webapp.schemas.agent_input import InputSchemas
from webapp.schemas.document import Document, Part
from webapp.schemas.examples import example_input

CONVERSATION_ID = "5f0c6c1e-9d3b-4f5e-8f43-2a7d1c0b9e11"
MOMENT = "2026-01-15T09:30:06.020000+00:00"


def chat_request(agent: Agent, inputs: InputSchemas) -> type[ma.Schema]:
    """What the chat agent takes, and the conversation that the message belongs to."""
    conversation_id = ma.fields.UUID(
        allow_none=True, metadata={"description": "The conversation to go on with; a new one without it."}
    )
    return type("ChatRequestSchema", (type(inputs.json(agent)),), {"conversation_id": conversation_id})


def chat_example(agent: Agent) -> dict[str, Any]:
    """An example of such a request, which begins a conversation."""
    return example_input(agent)


class ChatAnswerSchema(Document):
    """The answer to a message."""

    response = ma.fields.String(required=True, metadata={"description": "The answer."})
    conversation_id = ma.fields.String(required=True, metadata={"description": "Send it with the next message."})
    tokens_used = ma.fields.Integer(
        required=True, metadata={"description": "Tokens of the request to the model and of the answer."}
    )
    timestamp = ma.fields.DateTime(required=True, metadata={"description": "When the answer was complete."})


class MessageSchema(Part):
    """One message of a conversation."""

    role = ma.fields.String(required=True, metadata={"enum": ["user", "assistant"]})
    content = ma.fields.String(required=True)
    timestamp = ma.fields.DateTime(required=True)
    job_id = ma.fields.String(required=True, metadata={"description": "The job that answers the message."})


class ConversationSchema(Document):
    """A conversation: each message with its answer behind it, in the order in which the messages were accepted."""

    conversation_id = ma.fields.String(required=True)
    messages = ma.fields.List(ma.fields.Nested(MessageSchema), required=True)
    message_count = ma.fields.Integer(required=True)
    created_at = ma.fields.DateTime(required=True)
    updated_at = ma.fields.DateTime(required=True)


class DeletedSchema(Document):
    """That something is gone."""

    status = ma.fields.String(required=True, metadata={"enum": ["deleted"]})


CHAT_ANSWER = {
    "response": "A ramp is a slope on which ships are launched.",
    "conversation_id": CONVERSATION_ID,
    "tokens_used": 31,
    "timestamp": MOMENT,
}

_JOB_ID = "0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"

CONVERSATION = {
    "conversation_id": CONVERSATION_ID,
    "messages": [
        {"role": "user", "content": "What is a ramp?", "timestamp": MOMENT, "job_id": _JOB_ID},
        {"role": "assistant", "content": CHAT_ANSWER["response"], "timestamp": MOMENT, "job_id": _JOB_ID},
    ],
    "message_count": 2,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}

CHAT_EVENT = {"id": "1-1", "data": '{"content":"A ramp is a slope"}'}
CHAT_SENT = f"""\
retry: 2000

id: 1-1
data: {{"content":"A ramp is a slope"}}

id: 1-2
data: {{"content":" on which ships are launched."}}

id: 1-3
data: {{"done":true,"tokens_used":31,"usage":{{"prompt_tokens":20,"completion_tokens":11,"total_tokens":31}},\
"conversation_id":"{CONVERSATION_ID}"}}

data: [DONE]

"""
