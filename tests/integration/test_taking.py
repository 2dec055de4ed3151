"""A worker takes as many messages at once as it has room for, and none is lost or turned around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.messaging import Consumer
from kombu.transport.virtual import QoS
from redis import Redis

from tasks.jobs.connection import broker_options
from tasks.jobs.message import make_message
from tasks.worker import transport
from tasks.worker.transport import Channel

PREFIX = "taking:"
PATIENCE = 60.0


@pytest.fixture
def redis(valkey_url: str) -> Iterator[Redis]:
    with Redis.from_url(valkey_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def taken() -> list[str]:
    return []


@pytest.fixture
def connection(
    valkey_url: str, taken: list[str], redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """A consumer of two queues."""
    # Another test of this process may have connected before: kombu goes on with the transport that it had then.
    monkeypatch.setattr("kombu.transport._transport_cache", {})
    transport.install()

    def take(message: Any) -> None:
        taken.append(message.payload[0][0])
        message.ack()

    options = {**broker_options(), "global_keyprefix": PREFIX}
    with Connection(valkey_url, transport_options=options) as opened:
        queues = [Queue(name, routing_key=name) for name in ("io", "other")]
        with Consumer(opened, queues, on_message=take):
            yield opened


def push(redis: Redis, queue: str, count: int) -> list[str]:
    ids = [f"{queue}-{number}" for number in range(count)]
    for each in ids:
        redis.lpush(f"{PREFIX}{queue}", make_message(each, queue))
    return ids


def calls(redis: Redis, command: str) -> int:
    stats: Any = redis.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


def test_a_burst_is_taken_in_few_round_trips_and_in_its_order(
    connection: Connection, redis: Redis, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channel, "room", staticmethod(lambda: 100))
    sent = push(redis, "io", 40)
    before = calls(redis, "brpop")
    while len(taken) < len(sent):
        connection.drain_events(timeout=PATIENCE)
    assert taken == sent
    assert calls(redis, "brpop") - before <= len(sent) / 4


def test_a_full_worker_takes_the_next_message_as_soon_as_it_has_a_place(
    connection: Connection, redis: Redis, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([0, 0, 0])
    monkeypatch.setattr(Channel, "room", staticmethod(lambda: next(looks, 1)))
    monkeypatch.setattr(QoS, "can_consume", lambda _: next(looks, 1) > 0)  # as Celery has it
    sent = push(redis, "io", 1)
    connection.drain_events(timeout=PATIENCE)  # which is a timeout where the place is not seen
    assert taken == sent


def test_a_worker_that_stays_full_takes_nothing_and_goes_on(
    connection: Connection, redis: Redis, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channel, "room", staticmethod(lambda: 0))
    monkeypatch.setattr(QoS, "can_consume", lambda _: False)
    push(redis, "io", 1)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=600)
    assert taken == []


@pytest.mark.parametrize("room", [1, 2, 3])
def test_no_more_is_taken_than_there_is_room_for(
    connection: Connection, redis: Redis, taken: list[str], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(Channel, "room", staticmethod(lambda: room))
    push(redis, "io", 10)
    push(redis, "other", 10)
    connection.drain_events(timeout=PATIENCE)
    assert 1 <= len(taken) <= room
    # A message that is in hand is in no second place, where a leftover of it could stay.
    assert set(redis.keys("*")) <= {
        b"taking:io",
        b"taking:other",
        b"taking:_kombu.binding.io",
        b"taking:_kombu.binding.other",
    }
    left: Any = redis.llen(f"{PREFIX}io"), redis.llen(f"{PREFIX}other")
    assert sum(left) == 20 - len(taken)


def test_what_is_no_message_does_not_take_its_neighbours_along(
    connection: Connection, redis: Redis, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Channel, "room", staticmethod(lambda: 100))
    first = push(redis, "io", 2)
    redis.lpush(f"{PREFIX}io", b"\xff\xfe", "no JSON")
    last = push(redis, "io", 2)
    while len(taken) < 4:
        connection.drain_events(timeout=PATIENCE)
    assert taken == [*first, *last]
