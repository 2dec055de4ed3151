"""Callers who submit jobs all the time, and remember what was promised to them."""

from __future__ import annotations

import random
import threading
import time

import requests

from deploy.local.stack import Stack
from tests.faults.ledger import Ledger

CALLERS = 4  # enough that one which waits for an answer does not stop the load
PATIENCE = 15.0  # seconds for an answer: far above what the service promises even without Redis


class Load:
    """Submits `rate` jobs a second while it runs: four of five to the io workers, the rest to the cpu workers."""

    def __init__(self, stack: Stack, ledger: Ledger, rate: float) -> None:
        self._stack = stack
        self._ledger = ledger
        self._pause = CALLERS / rate
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CALLERS)]
        self.slowest = 0.0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with requests.Session() as session:
            session.headers.update({"X-API-Key": self._stack.api_key, "Prefer": "respond-async"})
            while not self._stop.wait(self._pause * random.uniform(0.5, 1.5)):
                self._submit(session)

    def _submit(self, session: requests.Session) -> None:
        agent = "print_file" if random.random() < 0.2 else "tell"
        to, pause = random.randint(3, 12), random.uniform(0.0, 0.15)
        if agent == "print_file":
            pause *= 5  # all of its time, and not that of each token
        begun = time.monotonic()
        try:
            answer = session.post(
                f"{self._stack.url}/v1/agents/{agent}/run", json={"to": to, "pause": pause}, timeout=PATIENCE
            )
        except requests.RequestException as error:
            self._ledger.refuse(type(error).__name__)
            return
        finally:
            self.slowest = max(self.slowest, time.monotonic() - begun)
        if answer.status_code == 202:
            self._ledger.promise(answer.json()["id"], agent, to)
        else:
            self._ledger.refuse(str(answer.status_code))
