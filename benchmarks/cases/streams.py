"""Chat streams of ten tokens a second: how soon the first token comes, and how many streams keep their pace."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks import client, servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale, ratio
from benchmarks.client import streams
from benchmarks.machine import children, connections
from benchmarks.servers import Opener, Server
from tests.support.model_server import ModelServer

RATE, TOKENS = 10, 50
CHAT = '{"message": "Talk to me."}'
CORRECTED = "FastAPI tutorial, corrected"
SIZES = (50, 100, 200, 300, 400, 500, 600, 800, 1000, 1200)
MOST_LAG = 250.0  # ms
OPEN, OPEN_TOKENS = 1000, 20  # at one a second: the first stream is read still when the last has long been opened


def tokens(scale: Scale) -> int:
    return scale.count(TOKENS, 5)


def read(server: Server, scale: Scale, count: int, within: float = 0.0) -> Figures:
    url = f"{server.url}/chat/stream"
    return streams(url, key=server.key, body=CHAT, clients=count, tokens=tokens(scale), rate=RATE, within=within)


def at_once(server: Server, scale: Scale) -> Figures:
    found = read(server, scale, scale.count(200, 3))
    wrong = found["lost"] + found["repeated"] + found["reordered"]
    shown = ("complete", "first_p50_ms", "first_p99_ms", "lag_p99_ms")
    return {name: found[name] for name in shown} | {"wrong": wrong}


def most(server: Server, scale: Scale) -> Figures:
    """The most streams, opened over two seconds, whose tokens come at most 250 ms behind their pace (99 of 100)."""
    best = 0
    for size in (3,) if scale.tiny else SIZES:
        if not keeps_pace(server, scale, size):
            break
        best = size
    return {"streams": best}


def keeps_pace(server: Server, scale: Scale, size: int) -> bool:
    for _ in range(2):  # once more before it is given up: somebody else may have wanted the machine
        found = read(server, scale, size, within=2.0)
        if found["complete"] == size and found["lag_p99_ms"] <= MOST_LAG:
            return True
    return False


def all_open(server: Server, scale: Scale) -> Figures:
    """A thousand streams that are open at the same time, and the connections to Redis that it takes."""
    options = {"clients": scale.count(OPEN, 3), "tokens": scale.count(OPEN_TOKENS, 5), "within": 2.0}
    load = client.start("streams", f"{server.url}/chat/stream", key=server.key, body=CHAT, **options)
    web, most = children(server.pid)[0], 0
    while load.poll() is None:
        most = max(most, connections(web, server.redis))
        time.sleep(0.2)
    found = client.result(load)
    wrong = found["lost"] + found["repeated"] + found["reordered"]
    return {"complete": found["complete"], "wrong": wrong, "redis_connections": most}


def contenders(watch: Callable[[Server, Scale], Figures]) -> tuple[Contender, ...]:
    def contender(name: str, server: Opener, *, peer: bool = False) -> Contender:
        @contextmanager
        def opened(scale: Scale) -> Iterator[Measure]:
            with ModelServer(tokens=tokens(scale), rate=RATE) as model, server(model) as running:
                read(running, scale, 5)  # loads what is loaded with the first stream
                yield lambda: watch(running, scale)

        return Contender(name, opened, peer=peer)

    return contender(SLIPWAY, servers.slipway_with), contender(CORRECTED, servers.corrected, peer=True)


AT_ONCE = Case(
    "streams",
    "200 streams of 50 tokens at 10 tokens/s, opened at once",
    contenders(at_once),
    (
        Goal("tokens lost, repeated or reordered", lambda each: each[SLIPWAY]["wrong"], 0, 0, at_most=True),
        Goal("first token, p50", lambda each: each[SLIPWAY]["first_p50_ms"], 500, 300, at_most=True, unit=" ms"),
        Goal("first token against the corrected tutorial", ratio("first_p50_ms", SLIPWAY, CORRECTED), 1, at_most=True,
             unit="×"),
    ),
    plot="first_p50_ms",
)  # fmt: skip

MOST = Case(
    "streams-most",
    "the most streams of 10 tokens/s with a p99 token lag of 250 ms",
    contenders(most),
    (Goal("against the corrected tutorial", ratio("streams", SLIPWAY, CORRECTED), 1.5, 3, unit="×"),),
    plot="streams",
    rounds=1,
)


@contextmanager
def _one_web_process(scale: Scale) -> Iterator[Measure]:
    with (
        ModelServer(tokens=scale.count(OPEN_TOKENS, 5), rate=1) as model,
        servers.slipway(servers.provider(model) | {"WEB_CONCURRENCY": "1"}) as running,
    ):
        yield lambda: all_open(running, scale)


ALL_OPEN = Case(
    "streams-open",
    "1,000 streams of 20 tokens at 1 token/s, open at the same time on one web process",
    (Contender(SLIPWAY, _one_web_process),),
    (
        Goal("streams that are complete", lambda each: each[SLIPWAY]["complete"], OPEN),
        Goal("tokens lost, repeated or reordered", lambda each: each[SLIPWAY]["wrong"], 0, 0, at_most=True),
        Goal("connections to Redis", lambda each: each[SLIPWAY]["redis_connections"], 19, at_most=True),
    ),
    plot="redis_connections",
    rounds=1,
)
