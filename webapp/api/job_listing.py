"""The caller's jobs, page by page."""

from __future__ import annotations

from typing import Any

from tasks.jobs import Status
from tasks.jobs.listing import Filter, page, queue_places
from webapp.api.job_document import job_summary, queue_document
from webapp.api.jobs import jobs
from webapp.auth.principals import current_principal
from webapp.schemas.cursor import encode_cursor
from webapp.schemas.job import LISTED_JOB, JobsSchema
from webapp.schemas.listing import ListingSchema
from webapp.services import services

NEXT = "1768469400120.0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11"


@jobs.route("/v1/jobs")
@jobs.arguments(ListingSchema(), location="query")
@jobs.response(200, JobsSchema, example={"jobs": [LISTED_JOB], "next_cursor": NEXT})
@jobs.operation("list_jobs")
def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """List your jobs, the newest first, without their results.

    A page may hold fewer jobs than `limit` when a filter passes few: there are more as long as `next_cursor` is not
    null.
    """
    status = query.get("status")
    wanted = Filter(Status(status) if status else None, query.get("agent"))
    engine = services().engine
    found = page(engine, current_principal().id, wanted, query["limit"], query.get("cursor"))
    places = queue_places(engine, found.jobs)
    listed = [job_summary(job, queue_document(*places.get(job.id, (0, None)))) for job in found.jobs]
    return {"jobs": listed, "next_cursor": encode_cursor(found.next)}
