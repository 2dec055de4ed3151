"""Whether workers are there for every queue, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.jobs.load import QueueLoad, read_load
from webapp.doctor.findings import Finding, State
from webapp.services import Services

LONG = 60.0  # seconds that a job may wait before somebody should look at it

# What workers look at, with what is done about a fault there.
FIXES = {
    "artifacts": "Make ARTIFACTS_DIR (or the bucket of ARTIFACTS_URL) writable for what workers run as, too.",
    "provider": "Check OPENAI_BASE_URL (it mostly ends in /v1) and OPENAI_API_KEY, and start the workers again.",
    "model": "Set AI_MODEL to a model that it has (GET /v1/models lists them), and start the workers again.",
}
# A server may know more models, or aliases of them, than it lists.
MILD = {"model"}
START = "Start one: the line of the Procfile with `--queues {queue}`. If one runs, its log says why it is not heard."
SLOW = "Start more workers, or look into the log of those there are."


def workers(services: Services) -> Iterator[Finding]:
    """Look at every queue that agents use, and at what the workers found."""
    engine = services.engine
    queues = sorted({agent.queue for agent in services.catalogue.values()})
    load = read_load(engine.redis, engine.keys, queues)
    for queue in queues:
        yield from _queue(queue, load.queues[queue], services)
    if load.dead:
        found = f"{load.dead} jobs were given up because they lost their workers."
        yield Finding("dead jobs", State.WARNING, found, "See `flask jobs dead list`; `retry` or `purge` them.")
    yield from _said(services, queues)


def _queue(queue: str, load: QueueLoad, services: Services) -> Iterator[Finding]:
    name = f"queue {queue}"
    if not load.workers:
        agents = ", ".join(sorted(each.name for each in services.catalogue.values() if each.queue == queue))
        found = f"No worker takes jobs of the queue {queue}; these agents wait for one: {agents}."
        yield Finding(name, State.FAULT, found, START.format(queue=queue))
    elif load.oldest > LONG:
        found = f"{load.waiting} jobs wait, the oldest for {load.oldest:.0f} s."
        yield Finding(name, State.WARNING, found, SLOW)
    else:
        there = "1 worker is" if load.workers == 1 else f"{load.workers} workers are"
        yield Finding(name, State.OK, f"{there} there; {load.waiting} jobs wait and {load.running} run.")


def _said(services: Services, queues: list[str]) -> Iterator[Finding]:
    """What is wrong by the word of the workers: each fault once, and what all of them found to be well."""
    redis, names = services.engine.redis, services.engine.keys
    known: Any = [redis.zrange(names.workers(queue), 0, -1) for queue in queues]
    said = services.health.of({worker.decode() for of_queue in known for worker in of_queue})
    heard = {worker: faults for worker, faults in said.items() if faults is not None}
    if not heard:
        if said:
            yield Finding("workers", State.UNKNOWN, "They have not looked around yet.", "Ask again in a few seconds.")
        return
    for check, fix in FIXES.items():
        wrong = {faults[check] for faults in heard.values() if faults.get(check)}
        state = State.WARNING if check in MILD else State.FAULT
        for fault in sorted(wrong):
            yield Finding(f"workers: {check}", state, fault, fix)
        if not wrong and all(check in faults for faults in heard.values()):
            yield Finding(f"workers: {check}", State.OK, "The workers find nothing wrong with it.")
