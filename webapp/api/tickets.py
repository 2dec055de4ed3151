"""Get a ticket for what cannot send a key."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from webapp.api.blueprint import Blueprint
from webapp.auth.principals import current_principal
from webapp.auth.tickets import SECONDS
from webapp.schemas.document import Document
from webapp.services import services

tickets = Blueprint("tickets", __name__, "One request without a key.")


class TicketSchema(Document):
    """A ticket."""

    ticket = ma.fields.String(required=True, metadata={"description": "Send it as the query parameter `ticket`."})
    expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds in which it must be used."})


@tickets.route("/v1/tickets", methods=["POST"])
@tickets.response(201, TicketSchema, example={"ticket": "qJ5xW0…", "expires_in": SECONDS})
@tickets.operation("create_ticket")
def create_ticket() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Get a ticket: it opens one stream of events or one WebSocket, as if your key had been sent."""
    made = {"ticket": services().tickets.issue(current_principal()), "expires_in": SECONDS}
    return made, 201, {"Cache-Control": "no-store"}
