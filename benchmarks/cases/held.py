"""2,000 streams that say nothing, on one web process: what each of them takes while it is open."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import client, servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale
from benchmarks.machine import children, connections, resident
from benchmarks.servers import Server


def hold(server: Server, path: str, scale: Scale) -> Figures:
    web, size, settle = children(server.pid)[0], scale.count(2000, 3), scale.pick(1.0, 0.1)
    options = {"key": server.key, "body": '{"seconds": 120}'}
    # What the first streams load is there before it is measured.
    with client.holding(server.url + path, clients=scale.count(100, 1), **options):
        pass
    time.sleep(settle)
    before = resident(web)
    with client.holding(server.url + path, clients=size, **options):
        time.sleep(settle)
        found = {"kib_a_stream": (resident(web) - before) / 1024 / size, "web_mib": resident(web) / 2**20}
        return found | ({"redis_connections": connections(web, server.redis)} if server.redis else {})


@contextmanager
def _slipway(scale: Scale) -> Iterator[Measure]:
    # The jobs would outlive the measurement: nobody waits for them.
    settings = {"WEB_CONCURRENCY": "1", "IO_CONCURRENCY": "2200", "DRAIN_SECONDS": "0"}
    with servers.slipway(settings) as server:
        yield lambda: hold(server, "/v1/agents/pause/stream", scale)


@contextmanager
def _limit(scale: Scale) -> Iterator[Measure]:
    with servers.bare(workers=1) as server:
        yield lambda: hold(server, "/stream", scale)


CASE = Case(
    "held",
    "2,000 idle streams on one web process",
    (Contender("limit (Flask alone)", _limit, fresh=True), Contender(SLIPWAY, _slipway, fresh=True)),
    (
        Goal("memory of a stream", lambda each: each[SLIPWAY]["kib_a_stream"], 25, 15, at_most=True, unit=" KiB"),
        Goal("connections to Redis", lambda each: each[SLIPWAY]["redis_connections"], 19, at_most=True),
    ),
    plot="kib_a_stream",
    rounds=1,
)
