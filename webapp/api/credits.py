"""What an answer costs: said once a job, with the first answer that delivers its result."""

from __future__ import annotations

from flask import Flask, Response, g, request
from redis.exceptions import RedisError

from tasks.jobs import Job, Status, logs
from tasks.jobs.accounts import charge
from tasks.sdk import Usage
from webapp.services import services

HEADER = "NVMCreditsConsumed"
# Answers that carry a result. 202 promises one, 304 repeats one, and an error has none.
DELIVERING = frozenset({200, 206})

log = logs.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Let the answers of `app` say what they cost."""
    app.after_request(_say)


def delivers(job: Job) -> Job:
    """Note that the answer to this request holds the result of `job`, if it has one. Returns the job."""
    if job.status is Status.COMPLETED:
        g.delivered = job
    return job


def streams(job: Job) -> None:
    """Note that the answer to this request is what `job` says, from now on and to its end."""
    if not job.status.ended or job.status is Status.COMPLETED:
        g.delivered = job


def credits_of(job: Job) -> int | None:
    """What the job costs by its agent's word; None: nothing is said of it (yet)."""
    agent = services().catalogue.get(job.agent)
    if agent is None or agent.cost is None:
        return None
    if not callable(agent.cost):
        return agent.cost
    if not job.status.ended:
        return None  # it follows from what the job will have used
    used = Usage(job.usage.get("prompt_tokens", 0), job.usage.get("completion_tokens", 0))
    return max(0, int(agent.cost(used)))


def _say(response: Response) -> Response:
    job: Job | None = g.get("delivered")
    if job is None or response.status_code not in DELIVERING or request.method == "HEAD":
        return response
    try:
        credits = credits_of(job)
        if credits is not None:
            response.headers[HEADER] = str(charge(services().engine, job, credits, streams=not job.status.ended))
    except RedisError as error:
        # The result is here and is worth more than its price: the next delivery says it.
        log.warning("credits.uncharged", job_id=job.id, error=error)
    except Exception:
        log.exception("credits.failed", job_id=job.id, agent=job.agent)
    return response
