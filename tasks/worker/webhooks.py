"""Deliver webhooks: a few threads in every worker's main process take from the outbox what is due."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable

import orjson
from redis.exceptions import RedisError
from urllib3.exceptions import HTTPError

from tasks import metrics
from tasks.jobs import logs
from tasks.jobs.attempts import Attempts
from tasks.jobs.record import Job
from tasks.jobs.settings import EngineSettings
from tasks.jobs.webhooks import Delivery, Refused
from tasks.jobs.webhooks.outbox import settle, take
from tasks.jobs.webhooks.signing import secret_of, signed_headers
from tasks.worker.posting import Deadlines, post
from tasks.worker.threads import start_os_thread

log = logs.get_logger(__name__)

THREADS = 4  # so that a receiver that hangs holds up a quarter of the others at most
IDLE = 0.5  # seconds between two looks into an empty outbox
# Seconds between the tries, a day in all; spread, so that a receiver that comes back is not met by all at once.
WAITS = (5, 60, 300, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
GONE = 410  # the receiver wants no more


class Courier:
    """Delivers what is due. `attempts` makes a client for each thread: none is shared."""

    def __init__(self, make_attempts: Callable[[], Attempts]) -> None:
        self._make_attempts = make_attempts
        self._deadlines = Deadlines()

    def start(self) -> None:
        start_os_thread("webhook-deadlines", self._deadlines.run)
        for number in range(THREADS):
            start_os_thread(f"webhooks-{number}", self._run)

    def _run(self) -> None:
        attempts = self._make_attempts()
        while True:
            try:
                busy = deliver_next(attempts, self._deadlines)
            except RedisError as error:
                log.warning("webhooks.redis_unavailable", error=error)
                busy = False
            except Exception:
                log.exception("webhooks.failed")
                busy = False
            if not busy:
                time.sleep(IDLE)


def deliver_next(attempts: Attempts, deadlines: Deadlines) -> bool:
    """Deliver one webhook that is due. False when there is none."""
    job_id = take(attempts.redis, attempts.keys)
    if job_id is None:
        return False
    job = attempts.get(job_id)
    if job is None or job.webhook is None:
        settle(attempts.redis, attempts.keys, job_id, [], None)
        return True
    tries = sum(each.at > job.redelivery for each in job.deliveries) + 1
    seconds, micros = attempts.redis.time()  # the clock that `redelivery` is of
    delivery = _deliver(job, tries, seconds + micros / 1e6, attempts.settings, deadlines)
    level = logging.INFO if delivery.delivered else logging.WARNING
    log.log(level, "webhook.tried", job_id=job_id, outcome=delivery.error or delivery.status, tries=tries)
    over = delivery.delivered or delivery.status == GONE or tries > len(WAITS)
    metrics.WEBHOOKS.add("delivered" if delivery.delivered else "given_up" if over else "postponed")
    again = None if over else WAITS[tries - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
    settle(attempts.redis, attempts.keys, job_id, [*job.deliveries, delivery], again)
    return True


def message_of(job: Job) -> bytes:
    """What is said of a job. Not its result: that is read with the key of its owner, from a receiver that has it."""
    data = {
        "id": job.id,
        "agent": job.agent,
        "status": job.status.value,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
        "error": job.error,
        "usage": job.usage,
    }
    return orjson.dumps({"type": f"job.{job.status.value}", "timestamp": job.completed_at, "data": data})


def _deliver(job: Job, tries: int, moment: float, settings: EngineSettings, deadlines: Deadlines) -> Delivery:
    assert job.webhook is not None
    try:
        body = message_of(job)
        signed = signed_headers(secret_of(settings.webhook_secret, job.owner), f"msg_{job.id}", int(moment), body)
        status = post(job.webhook.url, body, signed, settings, deadlines)
        return Delivery(moment, tries, status, "" if status < 300 else f"answered {status}")  # noqa: PLR2004
    except Refused as error:
        return Delivery(moment, tries, 0, f"refused: {error}")
    except (HTTPError, OSError) as error:
        # The kind alone: the text names addresses of the network that this process is in.
        return Delivery(moment, tries, 0, f"unreachable: {type(error).__name__}")
