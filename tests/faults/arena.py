"""The stack that faults are let loose on: two workers of each kind, so that one can be lost."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port
from tasks.jobs import Engine, Job
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.support.client import engine_of

# What the Procfile calls them, by the names under which they run here.
WORKERS = {"io-1": "worker-io", "io-2": "worker-io", "cpu-1": "worker-cpu", "cpu-2": "worker-cpu"}

SETTINGS = {
    "RATE_LIMITS": "off",  # faults are to hold up jobs, and nothing else
    "AGENTS": "tasks.agents,tests.support.agents",
    "WEB_CONCURRENCY": "2",
    "IO_CONCURRENCY": "100",
    "CPU_CONCURRENCY": "2",
    "DRAIN_SECONDS": "5",
    "MAX_WAITING": "0",
    "MAX_RUNNING": "0",
    "RETENTION_SECONDS": "86400",
    "LOG_LEVEL": "warning",
}


@dataclass
class Arena:
    """What a fault may break, and what it is judged by. Web and workers reach Valkey through the proxy."""

    stack: Stack
    proxy: Proxy
    ledger: Ledger
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = engine_of(self.stack)

    def running_on(self, name: str) -> list[Job]:
        """The jobs that a worker holds."""
        held: Any = self.engine.redis.zrange(self.engine.keys.leases, 0, -1)
        jobs = (self.engine.get(job_id.decode()) for job_id in held)
        return [job for job in jobs if job is not None and name_of(job.worker) == name]

    def keeper(self) -> str:
        """The worker whose keeper has the lock."""
        holder: Any = self.engine.redis.get(self.engine.keys.keeper)
        return name_of(holder.decode()) if holder else ""

    def respawn(self, name: str) -> None:
        """Start a worker, as its process manager would."""
        self.stack.spawn(WORKERS[name], as_name=name)

    def children(self, name: str) -> list[int]:
        """The processes that a process has started."""
        return children_of(self.stack.processes[name].pid)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Signal a worker with all its children."""
        os.killpg(self.stack.processes[name].pid, number)

    def restart_valkey(self, after: float) -> None:
        """Kill it, and start it again."""
        self.stack.valkey.kill()
        time.sleep(after)
        self.stack.valkey.start()

    def wait_until_idle(self, timeout: float) -> None:
        """Wait until every worker is there, after the last fault."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            with contextlib.suppress(redis.RedisError):
                if {name_of(worker.decode()) for worker in self._heard_of()} >= set(WORKERS):
                    return
            time.sleep(0.2)

    def _heard_of(self) -> list[bytes]:
        known: Any = [self.engine.redis.zrange(self.engine.keys.workers(each), 0, -1) for each in ("io", "cpu")]
        return [worker for workers in known for worker in workers]


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    with contextlib.suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill_a_child(pid: int) -> bool:
    """Kill one of the processes that a process has started. False: there was none."""
    children = children_of(pid)
    if children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(random.choice(children), signal.SIGKILL)
    return bool(children)


def name_of(worker: str) -> str:
    """`io-1` of `io-1@host/123` or, as the Procfile puts the kind first, of `io-io-1@host/123`."""
    return worker.partition("@")[0].partition("-")[2]


@contextmanager
def arena(directory: Path) -> Iterator[Arena]:
    """Everything up and ready, and down again afterwards."""
    directory.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(directory)
    with ExitStack() as on_exit:
        port = free_port()
        proxy = on_exit.enter_context(Proxy(port))
        settings = SETTINGS | {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0", "AGENT_NOTES": str(ledger.notes)}
        stack = Stack(directory, settings, only=("web",), valkey_port=port)
        on_exit.callback(stack.kill)
        assert isinstance(stack.valkey, Valkey)
        stack.start()
        found = Arena(stack, proxy, ledger)
        for name in WORKERS:
            found.respawn(name)
        stack.wait_until_ready()
        yield found
