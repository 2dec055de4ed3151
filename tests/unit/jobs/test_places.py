from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Empty

import pytest

from tasks.jobs import places
from tasks.jobs.places import Places

TIMEOUT = 0.3


@dataclass
class Connection:
    is_connected: bool = True


class Busy(Places):
    """Others have had an answer a moment ago, whenever one looks, and whoever waits never gets their place."""

    @property
    def _answered(self) -> float:
        return time.monotonic()

    @_answered.setter
    def _answered(self, moment: float) -> None:
        pass


def waited(pool: Places) -> float:
    began = time.monotonic()
    with pytest.raises(Empty):
        pool.get(timeout=TIMEOUT)
    return time.monotonic() - began


def test_a_free_place_is_had_at_once() -> None:
    pool = Places(1)
    pool.put_nowait(None)
    assert pool.get(timeout=TIMEOUT) is None


def test_without_an_answer_to_anybody_a_caller_gives_up_after_the_timeout() -> None:
    assert TIMEOUT <= waited(Places(1)) < places.MOST_PATIENCE


def test_while_others_have_answers_a_caller_waits_on_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MOST_PATIENCE", 4 * TIMEOUT)
    assert waited(Busy(1)) >= 4 * TIMEOUT


def test_a_broken_connection_is_no_answer() -> None:
    pool = Places(2)
    pool.put_nowait(Connection(is_connected=False))
    assert pool._answered == 0
    pool.put_nowait(Connection())
    assert pool._answered > 0


def test_a_place_that_comes_back_late_is_had() -> None:
    pool, connection = Busy(1), Connection()
    threading.Timer(2 * TIMEOUT, pool.put_nowait, [connection]).start()
    assert pool.get(timeout=TIMEOUT) is connection
