"""Webhooks as they are asked for, and as their job tells of them."""

from __future__ import annotations

import marshmallow as ma

from webapp.schemas.document import Document, Part

ENDS = ("completed", "failed", "canceled")


class WebhookInputSchema(ma.Schema):
    """What a request asks for."""

    class Meta:
        """A misspelled member is an error."""

        unknown = ma.RAISE

    url = ma.fields.String(required=True)
    events = ma.fields.List(
        ma.fields.String(validate=ma.validate.OneOf(ENDS)), load_default=list(ENDS), validate=ma.validate.Length(1, 3)
    )


class DeliverySchema(Part):
    """One try to deliver."""

    at = ma.fields.DateTime(required=True)
    attempt = ma.fields.Integer(required=True, metadata={"description": "Counts from 1, anew when asked for again."})
    status = ma.fields.Integer(required=True, metadata={"description": "The receiver's answer; 0: there was none."})
    error = ma.fields.String(required=True, metadata={"description": "Empty when it was delivered."})


class WebhookSchema(Part):
    """The webhook of a job, with the log of its deliveries, the latest last."""

    url = ma.fields.String(required=True)
    events = ma.fields.List(ma.fields.String(), required=True)
    deliveries = ma.fields.List(ma.fields.Nested(DeliverySchema), required=True)


class SecretSchema(Document):
    """The secret that the caller's webhooks are signed with."""

    secret = ma.fields.String(required=True, metadata={"description": "As libraries for Standard Webhooks take it."})
