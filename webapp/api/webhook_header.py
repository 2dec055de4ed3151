"""The `Webhook` header of a request that makes a job."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import orjson
from flask import Flask, request

from tasks.jobs.webhooks import Refused, Webhook, check_destination
from webapp.http.problem import Problem
from webapp.http.validation import describe_errors
from webapp.schemas.webhook import ENDS, WebhookInputSchema
from webapp.services import services, services_of

HEADER = "Webhook"

_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "description": (
        "Tell a receiver when the job has ended: a JSON object with `url` (public https) and `events` (of `completed`, "
        "`failed` and `canceled`; all by default). Messages are signed as Standard Webhooks has it, with the secret "
        "that `GET /v1/webhooks/secret` tells."
    ),
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["url"],
                "additionalProperties": False,
                "properties": {
                    "url": {"type": "string", "format": "uri", "pattern": "^https://"},
                    "events": {
                        "type": "array",
                        "items": {"type": "string", "enum": list(ENDS)},
                        "minItems": 1,
                        "maxItems": 3,
                    },
                },
            },
            "example": {"url": "https://example.com/hook", "events": ["completed", "failed"]},
        }
    },
}


def parameters(app: Flask) -> list[dict[str, Any]]:
    """How the header is described in the document of `app`: not at all, where there are no webhooks."""
    return [_PARAMETER] if services_of(app).engine.settings.webhook_secret else []


def webhook_of_request() -> Webhook | None:
    """The webhook that this request asks for. Raises a `Problem` with 400 or 422 when it cannot be had."""
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    settings = services().engine.settings
    if not settings.webhook_secret:
        raise _refused("this service has no webhooks: WEBHOOK_SECRET is not set")
    webhook = _read(sent)
    try:
        check_destination(webhook.url, settings.webhook_allow)
    except Refused as error:
        raise _refused(f"its url is not called: {error}") from error
    return webhook


def _read(sent: str) -> Webhook:
    try:
        values = WebhookInputSchema().load(orjson.loads(sent))
    except orjson.JSONDecodeError as error:
        raise Problem(400, "malformed_webhook", f"The header {HEADER} is not valid JSON: {error}.") from error
    except ma.ValidationError as error:
        errors = describe_errors({"headers": error.messages})
        raise Problem(422, "webhook_refused", f"The header {HEADER} is not valid.", errors=errors) from error
    return Webhook(values["url"], tuple(values["events"]))


def _refused(why: str) -> Problem:
    return Problem(422, "webhook_refused", f"The webhook is refused: {why}.")
