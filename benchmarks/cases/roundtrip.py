"""An agent that does nothing, with all guarantees: what the way there and back costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import servers
from benchmarks.case import SLIPWAY, Case, Contender, Figures, Goal, Measure, Scale, ratio
from benchmarks.client import requests_to
from benchmarks.servers import Opener

BODY = '{"text": "x"}'
TEMPLATE = "Flask + Celery"


def contender(name: str, server: Opener, path: str, **flags: bool) -> Contender:
    @contextmanager
    def opened(scale: Scale) -> Iterator[Measure]:
        with server(None) as running:

            def measure() -> Figures:
                options = {"body": BODY, "seconds": scale.pick(4.0, 0.5), "warm": scale.pick(1, 0)}
                alone = requests_to(running, path, clients=1, **options)
                many = requests_to(running, path, clients=scale.count(32, 2), **options)
                return {**many, "alone_p50_ms": alone["p50_ms"]}

            yield measure

    return Contender(name, opened, **flags)


CASE = Case(
    "roundtrip",
    "an agent that does nothing: 32 clients, and 1",
    (
        contender("limit (Flask alone, no job)", servers.bare, "/run"),
        contender(SLIPWAY, servers.slipway_with, "/v1/agents/noop/run"),
        contender(TEMPLATE, servers.template, "/run", peer=True),
        contender("LitServe (no job)", servers.litserve_noop, "/predict", peer=True),
        contender("BentoML (no job)", servers.bentoml, "/noop", peer=True),
    ),
    (
        Goal("against Flask + Celery, 32 clients", ratio("rate", SLIPWAY, TEMPLATE), 1.5, 3, unit="×"),
        Goal("processor time of one against it", ratio("cpu_ms", SLIPWAY, TEMPLATE), 1, at_most=True, unit="×"),
        Goal("p50 of one client against it", ratio("alone_p50_ms", SLIPWAY, TEMPLATE), 1, at_most=True, unit="×"),
    ),
    plot="rate",
)
