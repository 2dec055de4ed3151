"""Two web processes behind nginx: either may go, and callers do not notice."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest
import requests

from deploy.local.stack import Stack, web_is_ready
from deploy.local.valkey import free_port
from tests.support.edge import Edge


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_web_process_that_goes_is_not_noticed(stack: Stack, tmp_path: Path, how: signal.Signals) -> None:
    port = free_port()
    second = stack.spawn("web", "web-2", PORT=str(port))
    stack.wait_for("the second web server", lambda: web_is_ready(f"http://127.0.0.1:{port}"), 60)
    statuses: list[int] = []
    done = threading.Event()

    def call(edge: Edge) -> None:
        with edge.session(stack.api_key) as session:
            while not done.is_set():
                statuses.append(session.get(f"{edge.url}/v1/agents", timeout=30).status_code)
                time.sleep(0.02)  # about 40 calls a second from two callers

    def wait_for_more() -> None:
        enough = len(statuses) + 20
        stack.wait_for("20 more answers", lambda: len(statuses) >= enough, 60)

    with Edge(tmp_path, stack.port, port, RATE="1000r/s", BURST="1000") as edge:
        callers = [threading.Thread(target=call, args=(edge,)) for _ in range(2)]
        for caller in callers:
            caller.start()
        wait_for_more()
        stack.processes.pop("web-2").send_signal(how)
        second.wait(45)
        wait_for_more()
        done.set()
        for caller in callers:
            caller.join()
    assert set(statuses) == {requests.codes.ok}
