"""Two web processes behind nginx are replaced one after the other while callers call: nobody notices."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from deploy.local.stack import Stack, web_is_ready
from deploy.local.valkey import free_port
from tests.faults.conftest import SETTINGS
from tests.support.programs import find_program

RATE = 50  # requests a second
CALLERS = 10

CONFIGURATION = """
daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
events {{ worker_connections 1000; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream web {{ server 127.0.0.1:{first} max_fails=0; server 127.0.0.1:{second} max_fails=0;
                  keepalive 32; keepalive_timeout 2s; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_connect_timeout 2s;
      proxy_next_upstream error timeout; proxy_next_upstream_tries 2; proxy_pass http://web;
    }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, first: int, second: int) -> Iterator[str]:
    program = find_program("nginx")
    port = free_port()
    folder.mkdir()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(first=first, second=second, port=port))
    process = subprocess.Popen([program, "-p", folder, "-c", "nginx.conf"], cwd=folder)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)


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


def replace(stack: Stack, name: str, port: int) -> float:
    """Stop a web process and start its successor. Returns the seconds that it took to stop."""
    begun = time.monotonic()
    stack.processes[name].send_signal(signal.SIGTERM)
    stack.processes[name].wait(60)
    took = time.monotonic() - begun
    stack.spawn("web", as_name=name, PORT=str(port))
    stack.wait_for(name, lambda: web_is_ready(f"http://127.0.0.1:{port}"), 60)
    return took


def test_two_web_processes_are_replaced_without_a_failed_request(tmp_path: Path) -> None:
    ports = {"web-1": free_port(), "web-2": free_port()}
    stack = Stack(tmp_path, SETTINGS, only=("worker-io",))
    try:
        stack.start()
        for name, port in ports.items():
            stack.spawn("web", as_name=name, PORT=str(port))
            stack.wait_for(name, lambda port=port: web_is_ready(f"http://127.0.0.1:{port}"), 60)  # type: ignore[misc]
        with nginx(tmp_path / "nginx", *ports.values()) as url, Callers(url, stack.api_key) as callers:
            time.sleep(2)
            took = [replace(stack, name, port) for name, port in ports.items()]
            time.sleep(2)
        print(dict(callers.answers), f"stopped in {took[0]:.1f} and {took[1]:.1f} s")
        assert set(callers.answers) == {"POST 202", "GET 200"}
    finally:
        stack.kill()
