"""Every job that can be accepted is taken by a process that the Procfile starts."""

from __future__ import annotations

import re
import shlex

from deploy.local.processes import procfile
from deploy.settings import ProcessSettings
from tasks.jobs.environment import declared
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Catalogue

SETTINGS = EngineSettings()


def option(command: str, name: str) -> str | None:
    words = shlex.split(command)
    return words[words.index(name) + 1] if name in words else None


def consumers() -> dict[str, str]:
    """The pool of the worker that consumes each queue."""
    found = {}
    for command in procfile().values():
        for queue in filter(None, (option(command, "--queues") or "").split(",")):
            found[queue] = option(command, "--pool") or ""
    return found


def test_every_queue_is_consumed_by_a_process_with_the_pool_that_the_queue_is_for() -> None:
    assert consumers() == dict(SETTINGS.queues)


def test_every_agent_that_ships_has_its_queue_consumed() -> None:
    agents = Catalogue.load(SETTINGS.agents, SETTINGS.queues)
    assert {agent.name for agent in agents.values()} >= {"ai_service", "ai_service_binary"}
    assert {agent.queue for agent in agents.values()} <= consumers().keys()


def test_every_default_in_the_procfile_is_the_documented_one() -> None:
    documented = {each.variable: str(each.default) for each in declared(ProcessSettings)}
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", "\n".join(procfile().values())))
    assert used == {name: documented[name] for name in ("IO_CONCURRENCY", "CPU_CONCURRENCY")}
