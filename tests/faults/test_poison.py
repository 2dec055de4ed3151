"""Jobs that harm their worker: given up after three starts, and the others go on."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.support.client import Client, engine_of

GIVEN_UP = 100.0  # seconds for three starts, their leases and three starts of a worker on two busy cores


@contextmanager
def kept_up(stack: Stack, *names: str) -> Iterator[None]:
    """Start a worker again whenever it is gone, as a process manager does."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            for name in names:
                if stack.processes[name].poll() is not None:
                    stack.spawn(name)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    stop.set()
    watcher.join()


@pytest.mark.parametrize(("name", "agent"), [("worker-io", "kill_io_worker"), ("worker-cpu", "kill_cpu_worker")])
def test_a_job_that_kills_its_whole_worker_is_given_up_alone(own_stack: Stack, name: str, agent: str) -> None:
    client, engine = Client(own_stack), engine_of(own_stack)
    neighbour, payload = ("count", {"to": 30, "pause": 0.1}) if name == "worker-io" else ("compute", {"seconds": 1})
    with kept_up(own_stack, name):
        neighbours = [client.submit(neighbour, **payload) for _ in range(4)]
        client.wait_for(neighbours[0], "running")
        poison = client.submit(agent)
        job = client.wait_for(poison, timeout=GIVEN_UP)
        assert (job["status"], job["error"]["code"]) == ("failed", "worker_lost")
        kinds = [event.type for event in engine.events(poison)]
        assert kinds == ["started", "restarted", "restarted", "failed"]
        # They lost their worker as often as it did, for no fault of theirs.
        assert {client.wait_for(each, timeout=GIVEN_UP)["status"] for each in neighbours} == {"completed"}


def test_a_job_that_wants_too_much_memory_fails_and_its_process_goes_on(own_stack: Stack) -> None:
    client = Client(own_stack)
    main = own_stack.processes["worker-cpu"].pid
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    for child in children:
        resource.prlimit(int(child), resource.RLIMIT_AS, (2 * 1024**3, resource.RLIM_INFINITY))
    job = client.wait_for(client.submit("eat_memory", megabytes=4096))
    assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", "out_of_memory", 1)
    assert client.wait_for(client.submit("echo_cpu", text="still here"))["result"] == "still here"
    assert Path(f"/proc/{main}/task/{main}/children").read_text().split() == children


def test_an_endless_job_ends_at_its_limit_while_others_go_on(own_stack: Stack) -> None:
    client, engine = Client(own_stack), engine_of(own_stack)
    endless = [client.submit("compute_too_long") for _ in range(4)]  # more than there are processes
    begun = time.monotonic()
    assert client.wait_for(client.submit("echo_cpu", text="still here"))["result"] == "still here"
    for job_id in endless:
        job = client.wait_for(job_id)
        assert (job["status"], job["error"]["code"]) == ("failed", "timeout")
        assert [event.type for event in engine.events(job_id)] == ["started", "failed"]
    assert time.monotonic() - begun < 60
