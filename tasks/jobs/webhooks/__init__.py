"""Telling a receiver that a job has ended: who may be told, what is said, and how it is signed."""

from tasks.jobs.webhooks.destination import Refused, check_destination, connect_to
from tasks.jobs.webhooks.subscription import Delivery, Webhook

__all__ = ["Delivery", "Refused", "Webhook", "check_destination", "connect_to"]
