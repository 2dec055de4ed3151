"""Readers of streams that are cut off again and again, and resume each time with the last id that they have."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from deploy.local.stack import Stack
from tests.faults.arena import kill_a_child
from tests.support.client import Client
from tests.support.sse import Follower

READERS = 10
PAUSE = 0.02  # seconds between two tokens: a stream is cut while it is written
MOST_BETWEEN = 6  # events between two cuts
SPARE = 1.3  # a stream that ends before its last cut would be one cut short


@dataclass
class Cuts:
    """What came of it."""

    cuts: int = 0
    events: int = 0
    killed: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = f"{self.cuts} cuts, {self.events} events, {self.killed} web processes killed meanwhile"
        return f"{said}: {len(self.wrong)} streams with anything missing, repeated or changed"


def cut_streams(stack: Stack, cuts: int, *, every: float) -> Cuts:
    """Cut streams so often in all, while a web process is killed every so many seconds."""
    found = Cuts()
    each = -(-cuts // READERS)
    with killing(stack, every, found), ThreadPoolExecutor(READERS) as pool:
        for follower, problem in pool.map(lambda _: _follow(stack, each), range(READERS)):
            found.cuts += follower.connections - 1
            found.events += len(follower.events)
            found.wrong += [problem] if problem else []
    return found


@contextmanager
def killing(stack: Stack, every: float, found: Cuts) -> Iterator[None]:
    """Kill one of the processes that serve, again and again; gunicorn replaces it."""
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(every):
            found.killed += kill_a_child(stack.processes["web"].pid)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    yield
    stop.set()
    killer.join()


def _follow(stack: Stack, cuts: int) -> tuple[Follower, str]:
    """One reader: cut so often, and then to the end. Says what is wrong with what arrived."""
    client = Client(stack)
    to = int(cuts * MOST_BETWEEN / 2 * SPARE) + 20
    job_id = _insist(lambda: client.submit("count", to=to, pause=PAUSE))
    follower = Follower(client, job_id)
    while not follower.over and follower.connections < cuts:
        until = len(follower.events) + random.randint(1, MOST_BETWEEN)
        try:
            follower.connect(lambda until=until: len(follower.events) >= until)  # type: ignore[misc]
        except requests.RequestException:  # the process was killed: also a cut
            time.sleep(0.05)
    follower.follow(patience=120)
    uncut = Follower(client, job_id)
    uncut.follow()
    expected = "".join(f"{number} " for number in range(1, to + 1))
    exact = follower.events == uncut.events and uncut.content == expected
    gapless = follower.ids == [f"1-{seq}" for seq in range(len(follower.ids))]
    return follower, "" if exact and gapless else f"{job_id}: {len(follower.events)} of {len(uncut.events)} events"


def _insist(submit: Callable[[], str]) -> str:
    """Submit until a web process is there that answers. A job too many, if a reply is lost, is nobody's harm."""
    while True:
        try:
            return submit()
        except requests.RequestException:
            time.sleep(0.05)
