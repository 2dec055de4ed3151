"""`make deploy-test`: what the containers are and may do, and what happens when they die, stop or stand still."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.client import Client
from tests.support.compose import ENVIRONMENT, SERVICES, Compose, podman, wait_for
from tests.support.sse import Follower

pytestmark = pytest.mark.timeout(900)  # the first of them builds the images


def ended(client: Client, job_id: str) -> dict[str, Any]:
    """The job once it has ended; errors on the way are those of what was killed."""
    found: dict[str, Any] = {}

    def look() -> bool:
        try:
            answer = client.get(f"/v1/jobs/{job_id}", timeout=30)
        except requests.ConnectionError:
            return False
        if answer.status_code == 200:
            found.update(answer.json())
        return found.get("status") in ("completed", "failed", "canceled")

    wait_for(look, f"the job did not end: {found}", 90)
    return found


def work(client: Client, count: int) -> list[str]:
    """Jobs for both workers, of a few seconds."""
    jobs = [client.submit("count", to=40, pause=0.05) for _ in range(count)]
    return jobs + [client.submit("compute", seconds=2) for _ in range(count)]


def check_complete(client: Client, jobs: list[str]) -> None:
    assert [ended(client, job)["status"] for job in jobs] == ["completed"] * len(jobs)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_needs(service: Compose, name: str) -> None:
    container = service.name(name)
    status = podman("exec", container, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] == ("999" if name == "valkey" else "10001")
    assert (fields["CapEff"], fields["CapBnd"], fields["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
    with pytest.raises(AssertionError, match="Read-only file system"):
        podman("exec", container, "touch", "/file")
    assert service.inspect(name)["HostConfig"]["Memory"] > 0


def test_only_nginx_can_be_reached(service: Compose) -> None:
    for name in SERVICES:
        published = [port for port in service.inspect(name)["NetworkSettings"]["Ports"].values() if port]
        assert bool(published) == (name == "nginx")


@pytest.mark.usefixtures("base")
def test_the_web_image_is_light() -> None:
    find = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is not None)"
    heavy = [("web", each, False) for each in ("typst", "onnxruntime", "pyarrow", "numpy", "openai", "boto3", "pip")]
    for image, module, there in (("worker", "typst", True), ("worker", "pip", False), *heavy):
        command = ["podman", "run", "--rm", "--network=none", f"localhost/slipway-{image}:test", "python3", "-c", find]
        assert (subprocess.run([*command, module], env=ENVIRONMENT, check=False).returncode == 1) == there


def test_the_images_say_what_they_are(base: str) -> None:
    for name in ("web", "worker", "nginx"):
        image = f"localhost/slipway-{name}:test"
        size = int(podman("image", "inspect", "--format", "{{.Size}}", image)) / 1e6
        of_base = int(podman("image", "inspect", "--format", "{{.Size}}", base)) / 1e6
        print(f"{image}: {size:.0f} MB, of which the base is {of_base:.0f} MB")
        labels = podman("image", "inspect", "--format", "{{.Labels}}", image)
        for label in ("title", "version", "revision", "licenses"):
            assert f"org.opencontainers.image.{label}:" in labels


@pytest.mark.parametrize("name", SERVICES)
def test_the_kill_of_a_container_loses_nothing(service: Compose, client: Client, name: str) -> None:
    jobs = work(client, 3)
    follower = Follower(client, jobs[0])
    follower.connect(lambda: len(follower.events) > 5)
    podman("kill", service.name(name))
    # As the restart policy does; podman takes a kill by hand for a wish.
    podman("start", service.name(name))
    check_complete(client, jobs)
    follower.follow()
    # Each event once and in order, over however many connections, and from the start again in a second attempt.
    numbers = [tuple(map(int, each.split("-"))) for each in follower.ids]
    assert numbers == sorted(set(numbers))
    last = [number for attempt, number in numbers if attempt == numbers[-1][0]]
    assert last == list(range(len(last)))
    assert follower.events[-1].event == "completed"
    service.wait_until_ready()


@pytest.mark.parametrize("name", ["web", "worker-io", "worker-cpu", "nginx"])
def test_a_container_that_is_told_to_stop_loses_nothing(service: Compose, client: Client, name: str) -> None:
    jobs = work(client, 3)
    with ThreadPoolExecutor(1) as pool:
        # It waits for its answer while its container is stopped.
        call = pool.submit(client.post, "/v1/agents/count/run", json={"to": 40, "pause": 0.05})
        newest = {"limit": 1}
        wait_for(lambda: client.get("/v1/jobs", params=newest).json()["jobs"][0]["id"] not in jobs, "it is not there")
        started = time.monotonic()
        podman("stop", "--time", "60", service.name(name))
        assert time.monotonic() - started < 55
        assert service.inspect(name)["State"]["ExitCode"] == 0
        podman("start", service.name(name))
        assert call.result().status_code == 200
    check_complete(client, jobs)
    service.wait_until_ready()


def test_redis_that_is_told_to_stop_loses_nothing(service: Compose, client: Client) -> None:
    jobs = work(client, 3)
    podman("stop", "--time", "60", service.name("valkey"))
    assert service.inspect("valkey")["State"]["ExitCode"] == 0
    assert client.get("/readyz").status_code == 503
    podman("start", service.name("valkey"))
    check_complete(client, jobs)
    service.wait_until_ready()


def test_a_worker_that_wants_too_much_memory_is_stopped_and_its_job_given_up(service: Compose, client: Client) -> None:
    limit = service.inspect("worker-cpu")["HostConfig"]["Memory"]
    job = client.submit("eat_memory", megabytes=2 * limit // 1024**2)
    found = ended(client, job)
    assert (found["status"], found["error"]["code"]) == ("failed", "worker_lost")
    check_complete(client, work(client, 1))
    service.wait_until_ready()


def test_a_worker_that_stands_still_is_not_healthy(service: Compose) -> None:
    processes = _processes(service, "worker-io")
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: not service.healthy("worker-io"), "a frozen worker counts as healthy", 30)
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: service.healthy("worker-io"), "a thawed worker does not count as healthy", 30)


def _processes(service: Compose, name: str) -> list[int]:
    """The processes of a worker as this machine numbers them, without the init above them."""
    init = service.inspect(name)["State"]["Pid"]
    return [int(pid) for pid in Path(f"/proc/{init}/task/{init}/children").read_text().split()]


def test_a_worker_without_redis_counts_as_healthy(service: Compose) -> None:
    podman("pause", service.name("valkey"))
    try:
        time.sleep(8)  # three rounds of the keeper, after which Redis would have forgotten the worker
        assert service.healthy("worker-io")
        assert service.healthy("web")
    finally:
        podman("unpause", service.name("valkey"))
    service.wait_until_ready()


def test_a_worker_that_is_cut_off_and_comes_back(service: Compose, client: Client) -> None:
    """Its job ends once, whoever ends it."""
    container, network = service.name("worker-io"), "slipway-tests_back"
    job = client.submit("count", to=100, pause=0.1)
    client.wait_for(job, "running")
    podman("network", "disconnect", network, container)
    time.sleep(15)  # beyond the lease (10 s)
    podman("network", "connect", network, container)
    found = ended(client, job)
    assert found["status"] == "completed"
    assert found["result"] == "".join(f"{number} " for number in range(1, 101))
    service.wait_until_ready()
