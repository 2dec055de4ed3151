"""Two web servers and two workers, each on a host of its own, of which one is cut off and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from deploy.local.processes import in_shell, procfile, spawn
from deploy.local.stack import Stack, web_is_ready
from tests.faults.conftest import SETTINGS
from tests.support.client import Client, engine_of
from tests.support.hosts import Hosts
from tests.support.sse import Follower

WEBS = ("web-1", "web-2")
WORKERS = ("io-1", "io-2")
LAST = 60  # numbers that a job counts to, at ten a second: it is cut off in the middle


@dataclass
class Site:
    """The service on several hosts."""

    stack: Stack
    hosts: Hosts
    urls: dict[str, str]

    def client(self, web: str) -> Client:
        return Client(self.stack, self.urls[web])

    def worker_of(self, job_id: str) -> str:
        """The host whose worker holds the job."""
        job = engine_of(self.stack).get(job_id)
        assert job is not None
        return next(host for host in WORKERS if host in job.worker)

    def start(self, process: str, host: str, **settings: str) -> None:
        command = procfile()[process].replace("@%h", f"-{host}@%h")
        log = self.stack.log_path(host)
        log.parent.mkdir(parents=True, exist_ok=True)
        alive = {"ALIVE_DIR": str(self.stack.directory / host), "METRICS_PORT": ""}
        with log.open("ab") as out:
            self.stack.processes[host] = spawn(
                self.hosts.inside(host, in_shell(command)), stdout=out, env=self.stack.environment | alive | settings
            )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Hosts() as hosts:
        stack = Stack(tmp_path_factory.mktemp("hosts"), SETTINGS | {"LEASE_SECONDS": "4"}, only=())
        try:
            stack.start()
            with redis.Redis.from_url(stack.redis_url) as server:
                server.config_set("protected-mode", "no")
                server.config_set("bind", f"127.0.0.1 {hosts.address}")
            url = stack.redis_url.replace("127.0.0.1", hosts.address)
            found = Site(stack, hosts, {name: f"http://{hosts.add(name)}:8000" for name in WEBS})
            for name in WEBS:
                found.start("web", name, HOST="0.0.0.0", PORT="8000", REDIS_URL=url)
            for name in WORKERS:
                hosts.add(name)
                found.start("worker-io", name, REDIS_URL=url)
            for name in WEBS:
                stack.wait_for(name, lambda name=name: web_is_ready(found.urls[name]), 60)  # type: ignore[misc]
            engine = engine_of(stack)
            stack.wait_for("both workers", lambda: engine.redis.zcard(engine.keys.workers("io")) == len(WORKERS), 60)
            yield found
        finally:
            stack.kill()


def test_a_worker_that_is_cut_off_ends_nothing_and_its_job_ends_once(site: Site) -> None:
    job = site.client("web-1").submit("count", to=LAST, pause=0.1)
    follower = Follower(site.client("web-1"), job)
    follower.connect(lambda: len(follower.events) > 10)
    lost = site.worker_of(job)
    site.hosts.cut_off(lost)
    try:
        # Its caller goes on at the other web server, and hears that the job began again.
        follower.client = site.client("web-2")
        follower.connect(lambda: follower.events[-1].id.startswith("2-") and len(follower.events) > 20)
        assert site.worker_of(job) != lost
    finally:
        # It has gone on counting where nobody heard it, and now says all of it at once.
        site.hosts.bring_back(lost)
    follower.follow()
    _ended_once(site, follower, attempts=2)
    # It is of use again: with the other one cut off, it does the work.
    other = next(name for name in WORKERS if name != lost)
    site.hosts.cut_off(other)
    try:
        assert site.client("web-2").wait_for(site.client("web-2").submit("echo", text="here"))["result"] == "here"
    finally:
        site.hosts.bring_back(other)


def test_a_web_server_that_is_cut_off_is_replaced_by_the_other(site: Site) -> None:
    job = site.client("web-1").submit("count", to=LAST, pause=0.1)
    follower = Follower(site.client("web-1"), job)
    follower.connect(lambda: len(follower.events) > 10)
    site.hosts.cut_off("web-1")
    try:
        follower.client = site.client("web-2")
        follower.follow()
    finally:
        site.hosts.bring_back("web-1")
    _ended_once(site, follower, attempts=1)
    site.stack.wait_for("web-1", lambda: web_is_ready(site.urls["web-1"]), 60)
    again = Follower(site.client("web-1"), job)
    again.follow()
    assert again.ids == follower.ids


def _ended_once(site: Site, follower: Follower, attempts: int) -> None:
    job = site.client("web-2").job(follower.job_id)
    assert (job["status"], job["attempts"]) == ("completed", attempts)
    assert job["result"] == "".join(f"{number} " for number in range(1, LAST + 1))
    # Within each attempt without a gap, nothing of an older one after a newer one, one end.
    pairs = [tuple(map(int, each.split("-"))) for each in follower.ids]
    assert pairs == sorted(set(pairs))
    for attempt in range(1, attempts + 1):
        numbers = [number for of, number in pairs if of == attempt]
        assert numbers == list(range(len(numbers)))
    log = engine_of(site.stack).events(follower.job_id, count=10_000)
    assert [each.id for each in log] == follower.ids
    assert [each.event for each in follower.events].count("completed") == 1
