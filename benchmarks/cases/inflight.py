"""300 callers wait for a model that answers after a second: how many of them does the machine carry?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import servers
from benchmarks.case import LIMIT, SLIPWAY, Case, Contender, Goal, Measure, Scale, ratio
from benchmarks.client import once, requests_to
from benchmarks.servers import Opener
from tests.support.model_server import ModelServer

CHAT = '{"message": "Talk to me."}'
STRAIGHT = '{"model": "bench", "messages": [{"role": "user", "content": "Talk to me."}]}'
CORRECTED, WRITTEN = "FastAPI tutorial, corrected", "FastAPI tutorial, as written"


def contender(name: str, server: Opener, path: str, body: str = CHAT, **flags: bool) -> Contender:
    @contextmanager
    def opened(scale: Scale) -> Iterator[Measure]:
        with ModelServer(delay=scale.pick(1.0, 0.05), tokens=20) as model, server(model) as running:
            once(running, path, body.encode())  # loads what is loaded with the first request
            yield lambda: requests_to(
                running,
                path,
                body=body,
                clients=scale.count(300, 3),
                seconds=scale.pick(6.0, 0.5),
                warm=scale.pick(3.0, 0.0),
            )

    return Contender(name, opened, **flags)


CASE = Case(
    "inflight",
    "300 clients, a model that answers after 1 s",
    (
        contender(LIMIT, servers.the_model_itself, "/v1/chat/completions", STRAIGHT),
        contender(SLIPWAY, servers.slipway_with, "/chat"),
        contender(CORRECTED, servers.corrected, "/chat", peer=True),
        # What these two did not get done is still in their lines when the clients are gone.
        contender(WRITTEN, servers.tutorial, "/chat", peer=True, fresh=True),
        contender("Flask + Celery", servers.template, "/chat", peer=True, fresh=True),
        contender("LitServe", servers.litserve_chat, "/predict", peer=True),
        contender("BentoML", servers.bentoml, "/chat", peer=True),
    ),
    (
        Goal("of the limit", ratio("rate", SLIPWAY, LIMIT), 0.6, 0.8, unit="×"),
        Goal("against the corrected tutorial", ratio("rate", SLIPWAY, CORRECTED), 7, 10, unit="×"),
        Goal("against the tutorial as written", ratio("rate", SLIPWAY, WRITTEN), 150, unit="×"),
    ),
    plot="rate",
)
