"""Several jobs that are run at once. Each has its own input, its own end and its own attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tasks.jobs.attempts import Ending
from tasks.sdk import Agent
from tasks.worker.context import JobContext
from tasks.worker.execution import arguments_of, ended, execute

# A value, or what was raised instead of one.
Outcome = Any


def execute_all(agent: Agent, contexts: Sequence[JobContext], inline_limit: int) -> list[Ending | None]:
    """Run the agent for each of these jobs, at once where it can. The ends are in the order of the jobs."""
    if len(contexts) == 1 or agent.together is None:
        return [execute(agent, context, inline_limit) for context in contexts]
    outcomes = dict(_outcomes(agent, agent.together, contexts))
    return [ended(agent, each, inline_limit, _producing(each, outcomes[each.job_id])) for each in contexts]


def _outcomes(
    agent: Agent, together: Callable[[Sequence[Mapping[str, Any]]], Sequence[Outcome]], contexts: Sequence[JobContext]
) -> Iterator[tuple[str, Outcome]]:
    calls: dict[str, Mapping[str, Any]] = {}
    for context in contexts:
        try:
            calls[context.job_id] = arguments_of(agent, context)
        except Exception as error:
            yield context.job_id, error
    with _executing(contexts):
        try:
            outcomes = together(list(calls.values()))
        except Exception as error:
            outcomes = [error] * len(calls)
    yield from zip(calls, outcomes, strict=True)


@contextmanager
def _executing(contexts: Sequence[JobContext]) -> Iterator[None]:
    for context in contexts:
        context.running.executing = True
    try:
        yield
    finally:
        for context in contexts:
            context.running.executing = False


def _producing(context: JobContext, outcome: Outcome) -> Callable[[], Any]:
    def produce() -> Any:
        context.running.check()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return produce
