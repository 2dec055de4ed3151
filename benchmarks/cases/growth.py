"""A service that remembers 100,000 jobs, beside one that remembers 100: what is asked of both takes as long."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from redis import Redis

from benchmarks import servers
from benchmarks.case import Case, Contender, Figures, Goal, Measure, Round, Scale
from benchmarks.client import once, requests
from benchmarks.servers import Server
from tasks.jobs.keys import Keys

FEW, MANY = "100 stored jobs", "100,000 stored jobs"
BATCH = 1000
# Copies of one job that ran, in every place where an ended job is kept.
COPY = """
local job, events, listed, expiries, owner = unpack(KEYS, 1, 5)
for index = 3, #ARGV do
  local id, created = ARGV[index], ARGV[1] - index
  redis.call('COPY', job, ARGV[2] .. id)
  redis.call('HSET', ARGV[2] .. id, 'created_at', string.format('%.0f', created))
  redis.call('COPY', events, (string.gsub(events, '[^:]*$', id)))
  redis.call('ZADD', listed, created, id)
  redis.call('ZADD', expiries, ARGV[1] + 86400000, id .. ' ' .. owner)
end
"""


def fill(server: Server, count: int) -> str:
    """Store `count` jobs of the caller that have ended. Gives the id of one of them."""
    job_id = json.loads(once(server, "/v1/agents/noop/run", b'{"text": "x"}'))["id"]
    names, prefix = Keys(), Keys().job("")
    with Redis.from_url(server.redis_url) as redis:
        owner, created = (each.decode() for each in redis.hmget(names.job(job_id), "owner", "created_at") if each)
        keys = [names.job(job_id), names.events(job_id), names.jobs_of(owner), names.expiries, owner]
        for start in range(0, count, BATCH):
            ids = [str(uuid.uuid4()) for _ in range(min(BATCH, count - start))]
            redis.eval(COPY, len(keys), *keys, int(created) - start, prefix, *ids)
    return str(job_id)


def ask(server: Server, job_id: str, scale: Scale) -> Figures:
    seconds = scale.pick(1.5, 0.2)
    options = {"key": server.key, "clients": 1, "seconds": seconds, "warm": scale.pick(0.3, 0.0)}
    asked = {
        "submit_ms": requests(f"{server.url}/v1/agents/noop/jobs", body='{"text": "x"}', **options),
        "poll_ms": requests(f"{server.url}/v1/jobs/{job_id}", method="GET", **options),
        "list_ms": requests(f"{server.url}/v1/jobs?limit=20", method="GET", **options),
    }
    return {name: found["p50_ms"] for name, found in asked.items()}


def stored(usual: int) -> Callable[[Scale], AbstractContextManager[Measure]]:
    @contextmanager
    def opened(scale: Scale) -> Iterator[Measure]:
        with servers.slipway() as server:
            job_id = fill(server, scale.count(usual, usual // 1000 + 1))
            yield lambda: ask(server, job_id, scale)

    return opened


def grown(figure: str) -> Callable[[Round], float]:
    return lambda each: (each[MANY][figure] / each[FEW][figure] - 1) * 100


CASE = Case(
    "growth",
    "one client; p50 while 100 and while 100,000 jobs are stored",
    (Contender(FEW, stored(100)), Contender(MANY, stored(100_000))),
    tuple(
        Goal(f"{figure} slower", grown(f"{figure}_ms"), 20, 5, at_most=True, unit=" %")
        for figure in ("submit", "poll", "list")
    ),
    plot="list_ms",
    rounds=5,
)
