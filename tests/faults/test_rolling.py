"""Two web processes behind nginx are replaced one after the other while callers call and read: nobody notices."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from pathlib import Path

import requests

from deploy.local.stack import Stack, web_is_ready
from deploy.local.valkey import free_port
from tests.faults.conftest import SETTINGS
from tests.faults.front import Front
from tests.support.client import Client
from tests.support.sse import Follower

RATE = 50  # requests a second
CALLERS = 10
STREAMS = 50
TOKENS, PAUSE = 72, 0.25  # longer than both restarts take


class Callers:
    """Submit and read jobs all the time; `answers` counts what came of it."""

    def __init__(self, url: str, key: str) -> None:
        self.answers: Counter[str] = Counter()
        self._url = url
        self._key = key
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with requests.Session() as session:
            session.headers.update({"X-API-Key": self._key, "Prefer": "respond-async"})
            while not self._stop.wait(CALLERS / RATE):
                try:
                    self._submit_and_read(session)
                except requests.RequestException as error:
                    self.answers[repr(error)] += 1

    def _submit_and_read(self, session: requests.Session) -> None:
        submitted = session.post(f"{self._url}/v1/agents/echo/run", json={"text": "hello"}, timeout=30)
        self.answers[f"POST {submitted.status_code}"] += 1
        if submitted.status_code == 202 and not self._stop.wait(CALLERS / RATE):
            read = session.get(f"{self._url}/v1/jobs/{submitted.json()['id']}", timeout=30)
            self.answers[f"GET {read.status_code}"] += 1


class Readers:
    """Hold streams open to their end. One that ends before its job does goes on at once, behind what it has."""

    def __init__(self, stack: Stack, url: str) -> None:
        self.answers: Counter[str] = Counter()
        client = Client(stack, url)
        job_ids = [client.submit("count", to=TOKENS, pause=PAUSE) for _ in range(STREAMS)]
        self.followers = [Follower(Client(stack, url), job_id) for job_id in job_ids]
        self._threads = [threading.Thread(target=self._follow, args=(each,)) for each in self.followers]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def _follow(self, follower: Follower) -> None:
        while not follower.over:
            try:
                self.answers[f"GET {follower.connect().status_code}"] += 1
            except requests.RequestException as error:
                self.answers[repr(error)] += 1
                return


def replace(stack: Stack, name: str, port: int) -> float:
    """Stop a web process and start its successor. Returns the seconds that it took to stop."""
    begun = time.monotonic()
    stack.processes[name].send_signal(signal.SIGTERM)
    stack.processes[name].wait(60)
    took = time.monotonic() - begun
    stack.spawn("web", as_name=name, PORT=str(port))
    stack.wait_for(name, lambda: web_is_ready(f"http://127.0.0.1:{port}"), 60)
    return took


def test_two_web_processes_are_replaced_without_a_failed_request_or_stream(tmp_path: Path) -> None:
    ports = {"web-1": free_port(), "web-2": free_port()}
    stack = Stack(tmp_path, SETTINGS | {"IO_CONCURRENCY": "100"}, only=("worker-io",))
    try:
        stack.start()
        for name, port in ports.items():
            stack.spawn("web", as_name=name, PORT=str(port))
            stack.wait_for(name, lambda port=port: web_is_ready(f"http://127.0.0.1:{port}"), 60)  # type: ignore[misc]
        with Front(tmp_path / "nginx", *ports.values()) as front:
            url = front.url
            stack.wait_for("nginx", lambda: web_is_ready(url), 30)
            with Readers(stack, url) as readers, Callers(url, stack.api_key) as callers:
                time.sleep(2)
                took = [replace(stack, name, port) for name, port in ports.items()]
                time.sleep(2)
            whole = [Follower(Client(stack, url), each.job_id) for each in readers.followers]
            for each in whole:
                each.connect()
        cut = [each.connections - 1 for each in readers.followers]
        print(dict(callers.answers), dict(readers.answers), f"cut {sum(cut)} times, {min(cut)} at least")
        print(f"stopped in {took[0]:.1f} and {took[1]:.1f} s")
        assert set(callers.answers) == {"POST 202", "GET 200"}
        assert set(readers.answers) == {"GET 200"}
        # Those of the first process were; those of the second too, unless its turn came after their end.
        assert sum(times >= 1 for times in cut) >= STREAMS // 3
        assert [each.events for each in readers.followers] == [each.events for each in whole]
        counted = "".join(f"{number} " for number in range(1, TOKENS + 1))
        assert {each.content for each in readers.followers} == {counted}
    finally:
        stack.kill()
