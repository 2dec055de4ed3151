"""A worker process: what it is made of, and the way of one job through it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError

from tasks import metrics
from tasks.jobs import logs
from tasks.jobs.attempts import Attempts, Claim, Ending, new_nonce
from tasks.jobs.record import Job, JobError, Status
from tasks.sdk import Agent
from tasks.worker.checkpoints import Checkpoints
from tasks.worker.context import JobContext, Services
from tasks.worker.drain import Drain
from tasks.worker.execution import execute
from tasks.worker.flusher import EventWriter, Flusher
from tasks.worker.leases import Leases
from tasks.worker.running import Reason, Running

log = logging.getLogger(__name__)

CLAIM_AGAIN = 0.2  # seconds between tries while Redis is away: soon after its return, and no storm on it


class Enforcement(Protocol):
    """How a pool stops an agent that was interrupted."""

    def started(self, running: Running) -> None: ...

    def ended(self, running: Running) -> None: ...

    def __call__(self, running: Running) -> None: ...


@dataclass
class Runner:
    """Claims jobs and runs them. One a process."""

    attempts: Attempts
    catalogue: Mapping[str, Agent]
    services: Services
    flusher: Flusher
    leases: Leases
    enforcement: Enforcement
    drain: Drain
    models: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def set_up(self, queues: set[str]) -> None:
        """Run the setup functions of the agents of these queues. One that fails breaks its agent only."""
        for agent in self.catalogue.values():
            if agent.setup is not None and agent.queue in queues:
                self._set_up(agent)

    def run(self, job_id: str, queue: str) -> None:
        """Look at a job, and run it if it is to be had."""
        claim = self._claim(job_id, queue)
        if claim is None:
            return
        logs.bind(job_id=job_id, request_id=claim.job.request_id, agent=claim.job.agent, attempt=str(claim.attempt))
        running = Running(claim)
        self.enforcement.started(running)
        try:
            with self.leases.hold(running):
                self._run(running)
        finally:
            metrics.JOB_SECONDS.observe(running.age, claim.job.agent, claim.job.queue)
            self.enforcement.ended(running)
            logs.clear()

    def _claim(self, job_id: str, queue: str) -> Claim | None:
        """Take the job. While Redis is away it is tried again: the message is in our hands and nowhere else."""
        nonce = new_nonce()
        until = time.monotonic() + self.attempts.settings.resend_after
        while True:
            try:
                if self.drain.begun:
                    self.attempts.push(job_id, queue)  # for whoever is there
                    return None
                return self.attempts.claim(job_id, queue, nonce)
            except RedisError as error:
                log.warning("job %s could not be claimed: %s", job_id, error)
                if self.drain.begun or time.monotonic() > until:
                    return None  # the keeper sends its message again
            time.sleep(CLAIM_AGAIN)

    def _run(self, running: Running) -> None:
        log.info("job started")
        if running.claim.attempt == 1:
            metrics.JOB_WAIT.observe(running.claim.job.wait, running.claim.job.agent, running.claim.job.queue)
        writer = EventWriter(running, self.flusher, self.drain.over)
        ending = self._attempt(running, writer)
        if ending is not None:
            kept = writer.finish(ending)
            _count(running.claim.job, ending, kept=kept)
            log.info("job %s", ending.status.value if kept else "is not ours any more")
        elif running.reason is not Reason.LOST:
            self._hand_back(running.claim)

    def _attempt(self, running: Running, writer: EventWriter) -> Ending | None:
        job = running.claim.job
        agent = self.catalogue.get(job.agent)
        if agent is None:
            return _refused("unknown_agent", f"There is no agent {job.agent} any more.")
        if job.agent in self.broken:
            return _refused("setup_failed", f"The agent {job.agent} could not be set up.")
        checkpoints = Checkpoints(running, self.attempts)
        context = JobContext(running, writer, self.services, checkpoints, model=self.models.get(job.agent))
        return execute(agent, context, self.attempts.settings.inline_limit)

    def _hand_back(self, claim: Claim) -> None:
        try:
            log.info("job handed back: %s", self.attempts.hand_back(claim))
        except RedisError as error:
            log.warning("job could not be handed back, its lease will run out: %s", error)

    def _set_up(self, agent: Agent) -> None:
        try:
            self.models[agent.name] = agent.prepare(self.services.settings)
            log.info("agent %s is set up", agent.name)
        except Exception as error:
            log.exception("agent %s could not be set up: its jobs will fail", agent.name)
            self.broken[agent.name] = repr(error)


def _count(job: Job, ending: Ending, *, kept: bool) -> None:
    if kept:
        metrics.JOBS_ENDED.add(job.agent, job.queue, ending.status.value)
    # Spent, whether or not somebody else has the job by now.
    metrics.TOKENS.add(job.agent, "prompt", by=ending.usage.get("prompt_tokens", 0))
    metrics.TOKENS.add(job.agent, "completion", by=ending.usage.get("completion_tokens", 0))


def _refused(code: str, detail: str) -> Ending:
    return Ending(Status.FAILED, {"code": code, "detail": detail}, error=JobError(code, detail))
