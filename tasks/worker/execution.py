"""One attempt at a job: bind its input, call its agent, and say how it ended."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from tasks.jobs import logs
from tasks.jobs.artifacts import ArtifactStore
from tasks.jobs.attempts import Ending
from tasks.jobs.errors import StoreFailed
from tasks.jobs.record import Job, JobError, Status
from tasks.sdk import Agent, AgentError, Artifact, PayloadError, ResultError, Usage
from tasks.worker.budget import too_many_events
from tasks.worker.calling import call
from tasks.worker.context import JobContext
from tasks.worker.enforcement import timeout_error
from tasks.worker.running import Interrupted, Reason

log = logs.get_logger(__name__)

MOST_ATTEMPTS = 3  # of a job whose agent lists what it raised in `retry_on`
BACKOFF = 0.5  # seconds before the second attempt; doubled for the third


def execute(agent: Agent, context: JobContext, inline_limit: int) -> Ending | None:
    """Run the agent. None: the job goes back to the queue, or is not ours any more."""
    return ended(agent, context, inline_limit, lambda: _run(agent, context))


def ended(agent: Agent, context: JobContext, inline_limit: int, produce: Callable[[], Any]) -> Ending | None:
    """How an attempt ends whose value `produce` returns, or whose failure it raises. None: as `execute`."""
    try:
        value = produce()
        return _completed(agent, context, value, inline_limit)
    except Interrupted as interrupted:
        return _interrupted(context, interrupted.reason)
    except Exception as error:
        if _may_retry(agent, context, error):
            return None
        return _failed(context, _reason(agent, error))


def _reason(agent: Agent, error: Exception) -> JobError:
    """What the owner reads. What an agent did not raise on purpose stays in the log."""
    match error:
        case PayloadError():
            return JobError("invalid_input", f"The agent does not take this input: {error}")
        case AgentError():
            log.warning("agent.failed", code=error.code, detail=error.detail, cause=repr(error.__cause__))
            # Half a character cannot be written down.
            return JobError(error.code, error.detail.encode("utf-8", "replace").decode())
        case StoreFailed():
            log.error("store.failed", error=repr(error))
            return JobError("storage_unavailable", "A file of the job could not be stored.")
        case MemoryError():
            log.error("agent.out_of_memory")
            return JobError("out_of_memory", "The job needed more memory than its worker has.")
        case _:
            log.error("agent.raised", error=repr(error), traceback="".join(traceback.format_exception(error)))
            return JobError("agent_failed", f"The agent {agent.name} failed.")


def _run(agent: Agent, context: JobContext) -> Any:
    arguments = arguments_of(agent, context)
    running = context.running
    running.executing = True
    try:
        running.check()
        value = call(agent, arguments, context.token)
        running.check()
        return value
    finally:
        running.executing = False


def arguments_of(agent: Agent, context: JobContext) -> dict[str, Any]:
    """What the agent's function is called with. Raises `PayloadError`."""
    payload = read_payload(context.running.claim.job, context.services.store)
    arguments = agent.bind(payload, context.open_file)
    return arguments | ({"context": context} if agent.takes_context else {})


def read_payload(job: Job, store: ArtifactStore) -> Mapping[str, Any]:
    """The job's input, fetched from the store when it is too large for the record."""
    if not job.input_ref:
        return job.payload or {}
    payload: Mapping[str, Any] = orjson.loads(b"".join(store.open(job.input_ref)))
    return payload


def _completed(agent: Agent, context: JobContext, value: Any, inline_limit: int) -> Ending:
    if isinstance(value, Artifact) and all(each.name != value.name for each in context.artifacts):
        raise ResultError(f"The artifact {value.name} was not made by this job: use context.artifact().")
    result = agent.encode(value)
    encoded = orjson.dumps(result)
    ref = ""
    if len(encoded) > inline_limit:
        ref = f"{context.job_id}/{context.attempt}/result.json"
        context.services.store.put(ref, [encoded])
    usage = _usage(context.usage)
    return Ending(
        Status.COMPLETED,
        {"usage": usage} | ({"finish_reason": context.finish_reason} if context.finish_reason else {}),
        result=None if ref else result,
        result_ref=ref,
        usage=usage,
        artifacts=tuple(context.artifacts),
        answer=result if context.running.claim.job.conversation and isinstance(result, str) else None,
    )


def _interrupted(context: JobContext, reason: Reason) -> Ending | None:
    if reason is Reason.CANCEL:
        return Ending(Status.CANCELED, {}, usage=_usage(context.usage))
    if reason is Reason.TIMEOUT:
        return _failed(context, timeout_error(context.running))
    if reason is Reason.TALKATIVE:
        return _failed(context, too_many_events(context.writer.max_events))
    return None


def _failed(context: JobContext, error: JobError) -> Ending:
    data = {"code": error.code, "detail": error.detail}
    return Ending(Status.FAILED, data, error=error, usage=_usage(context.usage))


def _may_retry(agent: Agent, context: JobContext, error: Exception) -> bool:
    """Whether the agent asked for another try; waits the backoff, as long as nothing interrupts the job."""
    if not isinstance(error, tuple(agent.retry_on)) or context.attempt >= MOST_ATTEMPTS:
        return False
    wait = BACKOFF * 2 ** (context.attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, no secret
    log.warning("agent.retried", error=repr(error), attempt=context.attempt, wait=round(wait, 2))
    until = time.monotonic() + wait
    while time.monotonic() < until and context.running.reason is None:
        time.sleep(0.1)
    return True


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
