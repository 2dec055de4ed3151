"""Where every waiting request of a process hears of its job: one connection, however many there are."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

from redis.exceptions import RedisError

from tasks import metrics
from tasks.jobs import Engine, Event, Job, logs
from tasks.jobs.events import position
from tasks.jobs.keys import Keys
from webapp.events.channel import Channel, Listener
from webapp.events.cursor import Cursor
from webapp.events.subscription import Subscription
from webapp.events.wire import Reply, Wire

# Logs that are read at the same time. After a reconnect every subscription reads its own: without this bound they
# would take all connections of the pool, and the requests that submit jobs would wait behind them.
READERS = 3
# Events of one read of a log: a slow reader holds no more of them in memory.
PAGE = 200
# Messages that are handled in one go. A read that finds data does not switch to another greenlet, so under load the
# owner would never let those run that it works for.
BURST = 50
# Seconds between two tries to connect, from a restart that is over at once to a server that stays away.
FIRST_PAUSE = 0.05
LAST_PAUSE = 2.0

log = logs.get_logger(__name__)


class EventHub:
    """Hand every event of a job to the requests that wait for it.

    One thread (a greenlet under gevent) owns the connection and is its only reader. It reconnects by itself, and
    then every subscription reads the log of its job again, as it does at each heartbeat (`heartbeat` seconds).
    """

    def __init__(self, engine: Engine, *, heartbeat: float = 15.0) -> None:
        self.heartbeat = heartbeat
        self._engine = engine
        self._channels: dict[bytes, Channel] = {}
        # Over the table of channels and the order in which they are subscribed and given up.
        self._lock = threading.Lock()
        self._reading = threading.BoundedSemaphore(READERS)
        self._owner: threading.Thread | None = None
        self._wire: Wire | None = None
        self._draining = False

    def start(self) -> None:
        """Start the owner of the connection. To be called in the process that serves, before it serves."""
        with self._lock:
            if self._owner is None or not self._owner.is_alive():
                # What a parent process may have left here is not ours to use.
                self._wire = None
                self._owner = threading.Thread(target=self._own, name="event-hub", daemon=True)
                self._owner.start()

    @property
    def keys(self) -> Keys:
        """The names of the channels."""
        return self._engine.keys

    @property
    def draining(self) -> bool:
        """Whether this process was told to stop."""
        return self._draining

    def close(self) -> None:
        """Drain: every stream ends. Who waits for a result still gets it; the connection goes with the last one."""
        self._draining = True
        for channel in list(self._channels.values()):
            for listener in channel.listeners:
                listener.drain()
        self._release()

    def attach(self, job_id: str, after: str = "", *, new: bool = False) -> Subscription:
        """Listen to a job from behind the event `after`. Raises ValueError when that is no event's id.

        Never waits for Redis: the events that were before, if any, are read when the subscription is.
        `new` says that the job is not submitted yet, so that its log need not be read at all.
        """
        # Without a connection nothing is heard yet, so that a new job's log is as good as an old one's.
        subscription = Subscription(self, job_id, after, new=new and self._wire is not None)
        metrics.HUB_SUBSCRIPTIONS.add(1)
        self.listen(subscription)
        return subscription

    def detach(self, subscription: Subscription) -> None:
        """Let a subscription go. Safe to call twice."""
        if self.leave(subscription):
            metrics.HUB_SUBSCRIPTIONS.add(-1)

    def listen(self, listener: Listener) -> None:
        """Hand what is said on a channel to `listener`. Never waits for Redis."""
        with self._lock:
            self._add(listener)
        # Looked at when it is in the table: an owner that retires or a drain that begins has seen it, or is seen here.
        if self._owner is None or not self._owner.is_alive():
            self.start()
        if self._draining:
            listener.drain()

    def leave(self, listener: Listener) -> bool:
        """Let a listener go. False when it has left before."""
        name = listener.channel.encode()
        with self._lock:
            channel = self._channels.get(name)
            if channel is None or listener not in channel.listeners:
                return False
            channel.listeners = tuple(each for each in channel.listeners if each is not listener)
            if not channel.listeners:
                del self._channels[name]
                self._unsubscribe(name)
        if self._draining:
            self._release()
        return True

    def log_of(self, job_id: str, cursor: Cursor) -> Iterator[Event]:
        """Read a job's log from behind `cursor`, which the caller moves as it takes the events."""
        while True:
            with self._reading:
                page = self._engine.events(job_id, cursor.id, PAGE)
            yield from page
            if len(page) < PAGE:
                return

    def read(self, job_id: str) -> Job | None:
        """Read a job, as `Engine.get` does, within the same bound."""
        with self._reading:
            return self._engine.get(job_id)

    def is_over(self, job_id: str, cursor: Cursor) -> bool:
        """Whether nothing can come behind `cursor`: the job has ended before, or is unknown."""
        job = self.read(job_id)
        if job is None:
            return True
        return job.status.ended and position(job.last_event_id) <= cursor.position

    def _release(self) -> None:
        # The owner sits in a read: it sees that there is nothing left to wait for when the connection goes.
        wire = self._wire
        if wire is not None and not self._channels:
            wire.close()

    def _add(self, listener: Listener) -> None:
        name = listener.channel.encode()
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(name)
            self._subscribe([channel])
        channel.listeners = (*channel.listeners, listener)
        if channel.confirmed:
            listener.confirm()

    def _subscribe(self, channels: list[Channel]) -> None:
        if self._wire is None:  # the owner does it when it has connected
            return
        for ticket, channel in enumerate(channels, self._wire.sent + 1):
            channel.ticket = ticket
        try:
            self._wire.subscribe([channel.name for channel in channels])
        except RedisError:
            self._wire = None  # the owner finds the connection broken

    def _unsubscribe(self, name: bytes) -> None:
        if self._wire is None:
            return
        try:
            self._wire.unsubscribe([name])
        except RedisError:
            self._wire = None

    # What the owner does.

    def _own(self) -> None:
        pause = FIRST_PAUSE
        while not self._retire():
            try:
                wire = Wire(self._engine.redis)
                pause = FIRST_PAUSE
                self._serve(wire)
            except Exception as error:
                if self._retire():
                    return
                # Everything, because a writer's failing send takes the connection from under our read, which then
                # fails in whatever way; and without its owner every request of this process would go deaf.
                log.warning("hub.disconnected", error=error, retry_in=pause)
                metrics.HUB_DISCONNECTS.add()
                self._lose()
                # Spread out: the other processes lost the same server at the same moment.
                time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 2, LAST_PAUSE)

    def _retire(self) -> bool:
        with self._lock:
            if self._channels or not self._draining:
                return False
            self._owner = self._wire = None
            return True

    def _serve(self, wire: Wire) -> None:
        with self._lock:
            self._wire = wire
            self._subscribe(list(self._channels.values()))
        metrics.HUB_CONNECTIONS.add(1)
        try:
            while self._channels or not self._draining:
                for _ in range(BURST):
                    reply = wire.read()
                    if reply is not None:
                        self._handle(wire, reply)
                time.sleep(0)
        finally:
            metrics.HUB_CONNECTIONS.add(-1)
            wire.close()

    def _handle(self, wire: Wire, reply: Reply) -> None:
        channel = self._channels.get(reply[1])
        if channel is None:  # given up while this was under way
            return
        if reply[0] == b"message":
            for listener in channel.listeners:
                listener.push(reply[2])
        elif reply[0] == b"subscribe" and wire.answered >= channel.ticket:
            with self._lock:
                channel.confirmed = True
                listeners = channel.listeners
            for listener in listeners:
                listener.confirm()

    def _lose(self) -> None:
        with self._lock:
            self._wire = None
            for channel in self._channels.values():
                channel.confirmed = False
                for listener in channel.listeners:
                    listener.lose()
