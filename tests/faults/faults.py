"""The faults. Each strikes once, and says what was hit and when, so that the recovery can be timed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.arena import WORKERS, Arena, kill_a_child
from tests.faults.proxy import Mode

FROZEN = 13.0  # seconds: longer than a lease


@dataclass(frozen=True)
class Strike:
    """What a fault did. `jobs` (id → attempt) were running on what it hit; None: it hit everybody.

    `moment` is when the fault struck, or when it was over if nothing could go on before.
    """

    moment: float
    jobs: dict[str, int] | None = None


@dataclass(frozen=True)
class Fault:
    """A fault, how often it strikes in a full run, and the seconds between two strikes."""

    name: str
    strike: Callable[[Arena], Strike]
    times: int
    pause: float
    bound: float  # seconds that the recovery may take (99 of 100)


def kill_worker(arena: Arena, name: str) -> Strike:
    jobs = {job.id: job.attempt for job in arena.running_on(name)}
    arena.stack.lose(name)
    moment = time.time()
    arena.respawn(name)
    return Strike(moment, jobs)


def kill_some_worker(kind: str) -> Callable[[Arena], Strike]:
    return lambda arena: kill_worker(arena, random.choice([name for name in WORKERS if name.startswith(kind)]))


def kill_keeper(arena: Arena) -> Strike:
    return kill_worker(arena, arena.keeper() or random.choice(list(WORKERS)))


def kill_child(arena: Arena) -> Strike:
    """A child that works, if there is one."""
    name = random.choice(["cpu-1", "cpu-2"])
    running = arena.running_on(name)
    busy = [int(job.worker.rpartition("/")[2]) for job in running]
    children = arena.children(name)
    victims = [pid for pid in busy if pid in children] or children
    if not victims:
        return Strike(time.time(), {})
    victim = random.choice(victims)
    jobs = {job.id: job.attempt for job in running if job.worker.endswith(f"/{victim}")}
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    return Strike(time.time(), jobs)


def kill_web(arena: Arena) -> Strike:
    kill_a_child(arena.stack.processes["web"].pid)
    return Strike(time.time())


def freeze(arena: Arena) -> Strike:
    name = random.choice(list(WORKERS))
    arena.signal(name, signal.SIGSTOP)
    moment = time.time()
    jobs = {job.id: job.attempt for job in arena.running_on(name)}
    time.sleep(FROZEN)
    if random.random() < 0.5:
        arena.signal(name, signal.SIGCONT)
    else:
        arena.stack.lose(name)
        arena.respawn(name)
    return Strike(moment, jobs)


def drain_worker(arena: Arena) -> Strike:
    name = random.choice(list(WORKERS))
    jobs = {job.id: job.attempt for job in arena.running_on(name)}
    process = arena.stack.processes[name]
    moment = time.time()
    process.send_signal(signal.SIGTERM)
    arena.respawn(name)  # like a rolling update: the next one comes while the last one ends
    process.wait(60)
    return Strike(moment, jobs)


def lose_message(arena: Arena) -> Strike:
    """A message that is gone between the pop and the claim, as with a worker that dies at that moment."""
    queue = random.choice(["io", "cpu"])
    moment = time.time()
    popped: Any = arena.engine.redis.brpop([arena.engine.keys.queue(queue)], timeout=1)
    if popped is None:
        return Strike(moment, {})
    return Strike(moment, {json.loads(popped[1])["headers"]["id"]: 0})


def restart_redis(after: float) -> Callable[[Arena], Strike]:
    def strike(arena: Arena) -> Strike:
        arena.restart_valkey(after)
        return Strike(time.time())

    return strike


def network(mode: Mode, seconds: float) -> Callable[[Arena], Strike]:
    def strike(arena: Arena) -> Strike:
        arena.proxy.mode = mode
        time.sleep(seconds)
        arena.proxy.mode = Mode.PASS
        return Strike(time.time())

    return strike


# What strikes together hits different things, so that each recovery can be told from the others. These are more than
# 500 strikes; what is common strikes more often than what takes long. A web process starts within two seconds or three:
# killed faster than that, there would soon be none.
ROUNDS = [
    [
        Fault("io worker, kill -9", kill_some_worker("io"), 40, 4.0, 20.0),
        Fault("cpu child, kill -9", kill_child, 160, 1.2, 20.0),
    ],
    [
        Fault("cpu worker with its children, kill -9", kill_some_worker("cpu"), 40, 4.0, 20.0),
        Fault("web process, kill -9", kill_web, 50, 4.0, 20.0),
    ],
    [
        Fault("message lost between pop and claim", lose_message, 44, 0.8, 25.0),
        Fault("web process, kill -9, meanwhile", kill_web, 25, 3.0, 20.0),
    ],
    [Fault("the keeper's holder, kill -9", kill_keeper, 12, 5.0, 20.0)],
    [Fault("worker frozen, then thawed or killed", freeze, 10, 2.0, 25.0)],
    [Fault("worker, SIGTERM under load", drain_worker, 15, 3.0, 20.0)],
    [Fault("Redis, kill -9, back after 0.3 s", restart_redis(0.3), 64, 2.5, 5.0)],
    [Fault("Redis, kill -9, back after 3 s", restart_redis(3.0), 15, 4.0, 5.0)],
    [Fault("Redis, kill -9, back after 20 s", restart_redis(20.0), 3, 6.0, 5.0)],
    [Fault("connections reset at random for 3 s", network(Mode.RESET, 3.0), 14, 1.5, 25.0)],
    [Fault("replies lost at random for 3 s", network(Mode.LOSE_REPLIES, 3.0), 14, 1.5, 25.0)],
    [Fault("everything 0.1 s late for 3 s", network(Mode.DELAY, 3.0), 4, 2.0, 25.0)],
    [Fault("black hole for 5 s", network(Mode.BLACK_HOLE, 5.0), 6, 4.0, 25.0)],
]
