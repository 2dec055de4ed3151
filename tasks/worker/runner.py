"""A worker process: what it is made of, and the way of one job through it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from redis.exceptions import RedisError

from tasks import metrics, tracing
from tasks.jobs import logs
from tasks.jobs.attempts import Attempts, Claim, Ending, new_nonce
from tasks.jobs.record import Job, JobError, Status
from tasks.sdk import Agent
from tasks.worker.checkpoints import Checkpoints
from tasks.worker.context import JobContext, Services
from tasks.worker.drain import Drain
from tasks.worker.flusher import EventWriter, Flusher
from tasks.worker.leases import Leases
from tasks.worker.running import Reason, Running
from tasks.worker.together import execute_all

log = logs.get_logger(__name__)

MOST_AHEAD = 1000  # jobs that have ended before their messages came: those that others were given are forgotten
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
    # Jobs that were run in another's company and have ended, the newest last. Their messages are still to come: not to
    # ask Redis about each makes a batching worker 7 % faster.
    _ahead: dict[str, bool] = field(default_factory=dict)

    def set_up(self, queues: set[str]) -> None:
        """Run the setup functions of the agents of these queues. One that fails breaks its agent only."""
        for agent in self.catalogue.values():
            if agent.setup is not None and agent.queue in queues:
                self._set_up(agent)

    def run(self, job_id: str, queue: str) -> None:
        """Look at a job, and run it if it is to be had, together with others that wait to be run with it."""
        claims = [] if self._ahead.pop(job_id, False) else self._claim(job_id, queue)
        if not claims:
            return
        first = claims[0].job
        logs.bind(job_id=job_id, request_id=first.request_id, agent=first.agent, attempt=str(first.attempt))
        try:
            with ExitStack() as held:
                runnings = [held.enter_context(self._hold(claim)) for claim in claims]
                runnings += [held.enter_context(self._hold(claim)) for claim in self._more(claims)]
                self._run(runnings)
        finally:
            logs.clear()

    @contextmanager
    def _hold(self, claim: Claim) -> Iterator[Running]:
        running, job = Running(claim), claim.job
        span = tracing.begin(f"run {job.agent}", "consumer", job.traceparent)
        if span.traceparent:
            logs.bind(trace_id=tracing.trace_id(span.traceparent))
        self.enforcement.started(running)
        try:
            with self.leases.hold(running):
                yield running
        finally:
            metrics.JOB_SECONDS.observe(running.age, claim.job.agent, claim.job.queue)
            self.enforcement.ended(running)
            span.end(
                failed=running.failed, job_id=job.id, agent=job.agent, attempt=job.attempt, request_id=job.request_id
            )

    def _claim(self, job_id: str, queue: str) -> list[Claim]:
        """Take the job. While Redis is away it is tried again: the message is in our hands and nowhere else."""
        nonce = new_nonce()
        until = time.monotonic() + self.attempts.settings.resend_after
        while True:
            try:
                if self.drain.begun:
                    self.attempts.push(job_id, queue)  # for whoever is there
                    return []
                return self.attempts.claim_with_company(job_id, queue, nonce)
            except RedisError as error:
                log.warning("job.unclaimed", job_id=job_id, error=error)
                if self.drain.begun or time.monotonic() > until:
                    return []  # the keeper sends its message again
            time.sleep(CLAIM_AGAIN)

    def _more(self, claims: Sequence[Claim]) -> list[Claim]:
        """Wait once for jobs that may be run together with these, where they want it and there is room."""
        job = claims[0].job
        batching = job.batching
        if batching is None or not batching.delay or job.losses or len(claims) >= batching.size or self.drain.begun:
            return []
        time.sleep(batching.delay)
        known = {claim.job.id for claim in claims}
        try:
            return [claim for claim in self.attempts.join(claims[0]) if claim.job.id not in known]
        except RedisError as error:
            # Those whose claim was not heard of lose their lease, and are run again.
            log.warning("job.company_unclaimed", error=error)
            return []

    def _run(self, runnings: Sequence[Running]) -> None:
        for running in runnings:
            with logs.bound(job_id=running.claim.job.id, request_id=running.claim.job.request_id):
                log.info("job.started")
            if running.claim.attempt == 1:
                metrics.JOB_WAIT.observe(running.waited, running.claim.job.agent, running.claim.job.queue)
        writers = [EventWriter(running, self.flusher, self.drain.over) for running in runnings]
        endings = list(zip(writers, self._attempt(writers), strict=True))
        for writer, ending in endings:
            if ending is not None:  # all of them are written in one go
                writer.conclude(ending)
        for writer, ending in endings:
            with logs.bound(job_id=writer.claim.job.id, request_id=writer.claim.job.request_id):
                self._end(writer, ending, came_along=writer is not writers[0])

    def _end(self, writer: EventWriter, ending: Ending | None, *, came_along: bool) -> None:
        if ending is not None:
            kept = writer.concluded()
            if kept and came_along:
                self._note_end(writer.claim.job.id)
            writer.running.failed = ending.status is Status.FAILED
            _count(writer.claim.job, ending, kept=kept)
            log.info("job.ended" if kept else "job.lost", status=ending.status.value)
        elif writer.running.reason is not Reason.LOST:
            self._hand_back(writer.claim)

    def _note_end(self, job_id: str) -> None:
        self._ahead[job_id] = True
        if len(self._ahead) > MOST_AHEAD:
            del self._ahead[next(iter(self._ahead))]

    def _attempt(self, writers: Sequence[EventWriter]) -> Sequence[Ending | None]:
        name = writers[0].claim.job.agent
        agent = self.catalogue.get(name)
        if agent is None:
            return [_refused("unknown_agent", f"There is no agent {name} any more.")] * len(writers)
        if name in self.broken:
            return [_refused("setup_failed", f"The agent {name} could not be set up.")] * len(writers)
        contexts = [self._context(writer) for writer in writers]
        return execute_all(agent, contexts, self.attempts.settings.inline_limit)

    def _context(self, writer: EventWriter) -> JobContext:
        running = writer.running
        model = self.models.get(running.claim.job.agent)
        return JobContext(running, writer, self.services, Checkpoints(running, self.attempts), model=model)

    def _hand_back(self, claim: Claim) -> None:
        try:
            log.info("job.handed_back", status=self.attempts.hand_back(claim))
        except RedisError as error:
            log.warning("job.not_handed_back", error=error)  # its lease runs out

    def _set_up(self, agent: Agent) -> None:
        try:
            self.models[agent.name] = agent.prepare(self.services.settings)
            log.info("agent.set_up", agent=agent.name)
        except Exception as error:
            log.exception("agent.not_set_up", agent=agent.name)  # its jobs fail
            self.broken[agent.name] = repr(error)


def _count(job: Job, ending: Ending, *, kept: bool) -> None:
    if kept:
        metrics.JOBS_ENDED.add(job.agent, job.queue, ending.status.value)
    # Spent, whether or not somebody else has the job by now.
    metrics.TOKENS.add(job.agent, "prompt", by=ending.usage.get("prompt_tokens", 0))
    metrics.TOKENS.add(job.agent, "completion", by=ending.usage.get("completion_tokens", 0))


def _refused(code: str, detail: str) -> Ending:
    return Ending(Status.FAILED, {"code": code, "detail": detail}, error=JobError(code, detail))
