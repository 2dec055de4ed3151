"""The events of a job: from any event on, while it runs and after its end."""

from __future__ import annotations

import uuid

from flask import Response, g, request

from tasks.jobs import Job
from webapp.api.blueprint import Blueprint
from webapp.api.streaming import ON_DISCONNECT, STREAM, cancels_on_leaving, stream
from webapp.auth.ownership import owned_job
from webapp.auth.tickets import PARAMETER
from webapp.events.cursor import EVENT_ID, START, Cursor
from webapp.http.problem import Problem
from webapp.services import services

streams = Blueprint("streams", __name__, "What jobs say while they run, as server-sent events.")

LAST_EVENT_ID = {
    "in": "header",
    "name": "Last-Event-ID",
    "description": "The last event that the caller has: the stream goes on behind it.",
    "schema": {"type": "string", "pattern": f"^({EVENT_ID.pattern})?$"},
    "example": "1-0",
}
# For clients that cannot send the header with their first request.
LAST_EVENT_ID_QUERY = LAST_EVENT_ID | {"in": "query", "name": "last_event_id", "description": "The same, as a query."}
TICKET = {
    "in": "query",
    "name": PARAMETER,
    "description": "A ticket of `POST /v1/tickets` in place of a key, for an EventSource.",
    "schema": {"type": "string"},
}
PARAMETERS = [LAST_EVENT_ID, LAST_EVENT_ID_QUERY, TICKET, ON_DISCONNECT]


@streams.route("/v1/jobs/<uuid:job_id>/events")
@streams.response(200, **STREAM)
@streams.alt_response(204, description="The job has ended, and the caller has all of its events.", success=True)
@streams.operation("get_job_events", errors=(400, 404, 409, 410), parameters=PARAMETERS)
def get_job_events(job_id: uuid.UUID) -> Response:
    """Follow a job. Every event has an id; whoever sends the last one that arrived misses and repeats nothing."""
    job = owned_job(str(job_id))
    g.job_id = job.id
    after = _position(job)
    if job.status.ended and after.position >= Cursor(job.last_event_id).position:
        return Response(status=204)  # which also tells an EventSource not to come back
    return stream(lambda: (job, services().hub.attach(job.id, after.id)), cancels=cancels_on_leaving())


def _position(job: Job) -> Cursor:
    try:
        in_header = Cursor(request.headers.get("Last-Event-ID", ""))
        in_query = Cursor(request.args.get("last_event_id", ""))
    except ValueError as error:
        raise Problem(400, "invalid_event_id", "This is no id of an event.") from error
    # The header is the newer one: a client that reconnects by itself keeps the URL.
    cursor = in_header if in_header.id else in_query
    last = Cursor(job.last_event_id).position if job.last_event_id else START
    if cursor.position > last:
        # From there on nothing could ever be told apart from what is missing.
        raise Problem(409, "unknown_event_id", "The job has not said anything with this id.")
    return cursor
