"""One, two and four io workers whose jobs need no processor: more workers, more jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks import servers
from benchmarks.case import Case, Contender, Goal, Measure, Scale, ratio
from benchmarks.client import requests

PLACES = 8  # of each worker
PAUSE = 0.25  # seconds a job


def called(count: int) -> str:
    return f"{count} io worker" + ("s" if count > 1 else "")


def workers(count: int) -> Callable[[Scale], AbstractContextManager[Measure]]:
    @contextmanager
    def opened(scale: Scale) -> Iterator[Measure]:
        with servers.slipway({"IO_CONCURRENCY": str(PLACES)}, workers=min(count, scale.count(count, 2))) as server:
            yield lambda: requests(
                f"{server.url}/v1/agents/pause/run",
                key=server.key,
                body=f'{{"seconds": {PAUSE}}}',
                # More than there are places, so that none of them is ever empty.
                clients=scale.count(PLACES * count * 2, 2),
                seconds=scale.pick(5.0, 0.6),
                warm=scale.pick(1.5, 0.0),
            )

    return opened


CASE = Case(
    "scale",
    f"io workers of {PLACES} places each, jobs that wait {PAUSE} s",
    tuple(Contender(called(count), workers(count)) for count in (1, 2, 4)),
    (
        Goal("two against one", ratio("rate", called(2), called(1)), 1.8, 1.95, unit="×"),
        Goal("four against one", ratio("rate", called(4), called(1)), 3.4, 3.8, unit="×"),
    ),
    plot="rate",
)
