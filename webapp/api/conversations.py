"""Conversations: go on with one, read it, delete it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, g

from tasks.jobs import Conversation, ConversationFull, NewTurn, NoConversation
from tasks.jobs.conversations import Turn
from webapp.api.blueprint import Blueprint
from webapp.auth.ownership import owned_conversation, unknown_conversation
from webapp.http.problem import Problem
from webapp.schemas.chat import CONVERSATION, ConversationSchema, DeletedSchema
from webapp.services import services

conversations = Blueprint("conversations", __name__, "What was said in a chat.")

HEADER = "X-Conversation-ID"


def init_app(app: Flask) -> None:
    """Let every answer to a message name its conversation, and answer what a conversation refuses."""
    app.after_request(_name_conversation)
    app.register_error_handler(NoConversation, _none)
    app.register_error_handler(ConversationFull, _full)


@conversations.route("/conversation/<uuid:conversation_id>")
@conversations.response(200, ConversationSchema, example=CONVERSATION)
@conversations.operation("get_conversation", errors=(404,))
def get_conversation(conversation_id: uuid.UUID) -> dict[str, Any]:
    """Read a conversation. A message whose job failed or still runs has no answer behind it."""
    found = owned_conversation(str(conversation_id))
    messages = [message for turn in found.turns for message in _messages(turn)]
    return {
        "conversation_id": found.id,
        "messages": messages,
        "message_count": len(messages),
        "created_at": found.created_at,
        "updated_at": found.updated_at,
    }


@conversations.route("/conversation/<uuid:conversation_id>", methods=["DELETE"])
@conversations.response(200, DeletedSchema, example={"status": "deleted"})
@conversations.operation("delete_conversation", errors=(404,))
def delete_conversation(conversation_id: uuid.UUID) -> dict[str, str]:
    """Delete a conversation. Its jobs, which have their own retention, can still be read."""
    found: Conversation = owned_conversation(str(conversation_id))
    services().engine.conversations.delete(found.id)
    return {"status": "deleted"}


def turn_of(message: str, conversation_id: uuid.UUID | str | None) -> NewTurn:
    """The turn that a message opens, in the conversation of that id or in a new one.

    Whose conversation it is, is asked by the step that records the message: it raises `NoConversation`.
    """
    g.conversation_id = str(conversation_id or uuid.uuid4())
    return NewTurn(g.conversation_id, message, new=conversation_id is None)


def _messages(turn: Turn) -> Iterator[dict[str, Any]]:
    for role, each in (("user", turn.message), ("assistant", turn.answer)):
        if each is not None:
            yield {"role": role, "content": each.content, "timestamp": each.at, "job_id": turn.job_id}


def _none(_: NoConversation) -> Response:
    g.pop("conversation_id", None)
    return unknown_conversation().response()


def _full(_: ConversationFull) -> Response:
    limit = services().engine.settings.conversation_bytes
    detail = "The conversation takes no more messages. Begin a new one."
    return Problem(409, "conversation_full", detail, extra={"limit": limit}).response()


def _name_conversation(response: Response) -> Response:
    if "conversation_id" in g:
        response.headers[HEADER] = g.conversation_id
    return response
