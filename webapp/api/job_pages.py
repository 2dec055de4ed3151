"""Everything under `/v1/jobs`: one blueprint, whose views stand in several files."""

from __future__ import annotations

from webapp.api import job_control, job_listing, usage
from webapp.api.jobs import jobs

# Importing them is what puts their views into the blueprint.
VIEWS = (job_control, job_listing, usage)

__all__ = ["VIEWS", "jobs"]
