"""What a subscription makes of the messages and the log, without a server: the hub is a recording double."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import orjson
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks.jobs import Event
from webapp.events import subscription as module
from webapp.events.cursor import Cursor
from webapp.events.subscription import MAX_UNREAD, Subscription

# Long enough for any machine: no test waits for it unless it fails.
SOON = 10.0


class Hub:
    """A log that tests write, and counts of how often it was asked."""

    def __init__(self, heartbeat: float = 60.0) -> None:
        self.heartbeat = heartbeat
        self.log: list[Event] = []
        self.reads = 0
        self.failures = 0
        self.over = False
        self.detached = 0

    def log_of(self, job_id: str, cursor: Cursor) -> Iterator[Event]:
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise RedisConnectionError("away")
        yield from [event for event in self.log if event.position > cursor.position]

    def is_over(self, job_id: str, cursor: Cursor) -> bool:
        return self.over

    def detach(self, subscription: Subscription) -> None:
        self.detached += 1


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test gets by with a look into the log that it does not ask for."""
    monkeypatch.setattr(module, "PATIENCE", 1000.0)


@pytest.fixture
def hub() -> Hub:
    return Hub()


def subscribe(hub: Hub, after: str = "", *, new: bool = False, confirmed: bool = True) -> Subscription:
    subscription = Subscription(hub, "job-1", after, new=new)  # type: ignore[arg-type]
    if confirmed:
        subscription.confirm()
    return subscription


def event(event_id: str, kind: str = "token") -> Event:
    return Event(event_id, kind, {})


def message(*events: Event) -> bytes:
    return orjson.dumps([[each.id, each.type, "{}"] for each in events])


def ids(events: Iterator[Event | None]) -> list[str | None]:
    return [each.id if each else None for each in events]


FIRST, SECOND, THIRD = event("1-0", "started"), event("1-1"), event("1-2")
DONE = event("1-3", "completed")


def test_the_events_of_a_new_job_come_without_reading_its_log(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    for each in (message(FIRST, SECOND), message(THIRD), message(DONE)):
        subscription.push(each)

    assert ids(subscription.events(SOON)) == ["1-0", "1-1", "1-2", "1-3"]
    assert hub.reads == 0


def test_a_job_that_exists_is_read_from_its_log_first(hub: Hub) -> None:
    hub.log = [FIRST, SECOND, THIRD, DONE]

    assert ids(subscribe(hub, "1-0").events(SOON)) == ["1-1", "1-2", "1-3"]
    assert hub.reads == 1


def test_what_is_in_the_log_and_comes_again_is_said_once(hub: Hub) -> None:
    hub.log = [FIRST, SECOND]
    subscription = subscribe(hub)
    subscription.push(message(FIRST))
    subscription.push(message(SECOND, THIRD, DONE))

    assert ids(subscription.events(SOON)) == ["1-0", "1-1", "1-2", "1-3"]
    assert hub.reads == 1


def test_a_gap_is_filled_from_the_log(hub: Hub) -> None:
    hub.log = [FIRST, SECOND, THIRD, DONE]
    subscription = subscribe(hub, new=True)
    subscription.push(message(FIRST))
    subscription.push(message(DONE))

    assert ids(subscription.events(SOON)) == ["1-0", "1-1", "1-2", "1-3"]
    assert hub.reads == 1


def test_the_last_words_of_an_attempt_are_looked_for_before_the_next_one_is_believed(hub: Hub) -> None:
    last_words, again, end = event("1-1"), event("2-0", "restarted"), event("2-1", "completed")
    hub.log = [FIRST, last_words, again]
    subscription = subscribe(hub, new=True)
    subscription.push(message(FIRST))
    subscription.push(message(again))
    subscription.push(message(end))

    assert ids(subscription.events(SOON)) == ["1-0", "1-1", "2-0", "2-1"]


def test_a_late_event_of_a_dead_attempt_is_dropped(hub: Hub) -> None:
    hub.log = [event("2-0")]
    subscription = subscribe(hub, "1-5")
    subscription.push(message(event("1-6")))
    subscription.push(message(event("2-1", "completed")))

    assert ids(subscription.events(SOON)) == ["2-0", "2-1"]


def test_an_event_whose_predecessors_have_expired_is_said_rather_than_nothing(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    subscription.push(message(event("1-7", "completed")))

    assert ids(subscription.events(SOON)) == ["1-7"]


def test_a_slow_reader_holds_no_more_than_a_bound_and_misses_nothing(hub: Hub) -> None:
    big = [Event(f"1-{number}", "token", {"content": "x" * 1000}) for number in range(1, 500)]
    hub.log = [FIRST, *big, event("1-500", "completed")]
    subscription = subscribe(hub, new=True)
    events = subscription.events(SOON)
    subscription.push(message(FIRST))
    assert next(events) == FIRST
    for each in hub.log[1:]:
        subscription.push(orjson.dumps([[each.id, each.type, orjson.dumps(each.data).decode()]]))
        assert sum(map(len, subscription._unread)) <= MAX_UNREAD

    assert ids(events) == [each.id for each in hub.log[1:]]


@pytest.mark.parametrize("unreadable", [b"", b"\xff", b'[["1-1"]]', b"[1]"])
def test_a_message_that_nobody_can_read_is_looked_up(hub: Hub, unreadable: bytes) -> None:
    subscription = subscribe(hub, new=True)
    subscription.push(message(FIRST))
    subscription.push(unreadable)
    hub.log = [FIRST, event("1-1", "completed")]

    assert ids(subscription.events(SOON)) == ["1-0", "1-1"]


def test_one_message_larger_than_the_bound_is_still_taken(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    subscription.push(orjson.dumps([["1-0", "completed", '{"x": "%s"}' % ("x" * 2 * MAX_UNREAD)]]))

    assert ids(subscription.events(SOON)) == ["1-0"]
    assert hub.reads == 0


def test_after_a_lost_connection_the_log_is_read_as_soon_as_the_channel_is_heard_again(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    events = subscription.events(SOON)
    subscription.push(message(FIRST))
    assert next(events) == FIRST
    subscription.lose()
    hub.log = [FIRST, SECOND, THIRD, DONE]

    threading.Timer(0.1, subscription.confirm).start()

    assert ids(events) == ["1-1", "1-2", "1-3"]
    assert hub.reads == 1


def test_silence_is_said_and_the_log_is_read(hub: Hub) -> None:
    hub.heartbeat = 0.05
    subscription = subscribe(hub)
    events = subscription.events(SOON)
    assert next(events) is None

    # Its message was lost, and it was the last one: no gap will tell.
    hub.log = [event("1-0", "completed")]

    found = ids(events)
    assert found[-1] == "1-0"
    assert set(found[:-1]) <= {None}


def test_a_new_job_that_stays_silent_is_looked_up_before_the_first_heartbeat(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    subscription = subscribe(hub, new=True)
    hub.log = [FIRST, event("1-1", "completed")]

    assert ids(subscription.events(SOON)) == ["1-0", "1-1"]


def test_a_confirmation_that_never_comes_does_not_keep_the_log_unread(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    hub.log = [FIRST, event("1-1", "completed")]

    assert ids(subscribe(hub, confirmed=False).events(SOON)) == ["1-0", "1-1"]


def test_a_log_that_cannot_be_read_is_tried_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY", 0.02)
    hub.failures = 3
    hub.log = [FIRST, event("1-1", "completed")]

    assert ids(subscribe(hub).events(SOON)) == ["1-0", "1-1"]
    assert hub.reads == 4


def test_the_end_of_the_time_ends_the_events(hub: Hub) -> None:
    assert ids(subscribe(hub).events(0.05)) == []


def test_the_events_of_a_job_that_is_over_end(hub: Hub) -> None:
    hub.over = True

    assert ids(subscribe(hub, "1-3").events(SOON)) == []


def test_draining_ends_a_stream_and_says_so(hub: Hub) -> None:
    subscription = subscribe(hub)
    events = subscription.events(SOON)
    subscription.push(message(FIRST))
    assert next(events) == FIRST

    threading.Timer(0.1, subscription.drain).start()

    assert ids(events) == []
    assert subscription.drained


def test_draining_does_not_take_the_result_from_who_waits_for_it(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    subscription.drain()

    threading.Timer(0.1, subscription.push, [message(FIRST, event("1-1", "completed"))]).start()

    end = subscription.wait(SOON)
    assert end is not None
    assert end.id == "1-1"


def test_waiting_gives_the_terminal_event_whatever_else_was_said(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    subscription.push(message(FIRST, SECOND, THIRD, DONE))

    assert subscription.wait(SOON) == DONE
    assert subscription.wait(SOON) == DONE
    assert hub.detached


def test_waiting_in_vain_gives_none_and_can_go_on(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    assert subscription.wait(0.05) is None

    subscription.push(message(FIRST, SECOND, THIRD, DONE))

    assert subscription.wait(SOON) == DONE


def test_leaving_in_the_middle_of_a_message_loses_nothing(hub: Hub) -> None:
    subscription = subscribe(hub, new=True)
    subscription.push(message(FIRST, SECOND, THIRD, DONE))
    events = subscription.events(SOON)
    assert next(events) == FIRST
    events.close()  # type: ignore[attr-defined]

    assert ids(subscription.events(SOON)) == ["1-1", "1-2", "1-3"]


def test_closing_wakes_whoever_reads(hub: Hub) -> None:
    with subscribe(hub) as subscription:
        threading.Timer(0.1, subscription.close).start()

        assert ids(subscription.events(SOON)) == []


def test_a_subscription_is_small(hub: Hub) -> None:
    assert not hasattr(subscribe(hub), "__dict__")
