"""`make deploy-test`: compose.yaml as it is, from images that are built here, and what happens when its parts die."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.compose import ENVIRONMENT, SERVICES, Compose, build, podman, wait_for
from tests.support.programs import find_program

BASE = os.environ.get("CONTAINER_BASE", "")

pytestmark = [
    pytest.mark.skipif(not BASE, reason="set CONTAINER_BASE, or use `make deploy-test`"),
    pytest.mark.timeout(900),  # the first of them builds the images
]

TEXT = "Slipway keeps every job. It also prints reports. Ships are launched from a ramp."


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    find_program("podman")
    build(BASE)
    with Compose(tmp_path_factory.mktemp("compose")) as running:
        yield running


@pytest.fixture
def session(service: Compose) -> Iterator[requests.Session]:
    with service.session() as session:
        yield session


def submit(service: Compose, session: requests.Session, agent: str, **payload: Any) -> str:
    headers = {"Prefer": "respond-async"}
    answer = session.post(f"{service.url}/v1/agents/{agent}/run", json=payload, headers=headers, timeout=30)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def ended(service: Compose, session: requests.Session, job_id: str) -> dict[str, Any]:
    """The job once it has ended; errors on the way are those of what was killed."""
    found: dict[str, Any] = {}

    def look() -> bool:
        try:
            answer = session.get(f"{service.url}/v1/jobs/{job_id}", timeout=30)
        except requests.ConnectionError:
            return False
        if answer.status_code == 200:
            found.update(answer.json())
        return found.get("status") in ("completed", "failed", "canceled")

    wait_for(look, f"the job did not end: {found}", 90)
    return found


def test_the_calls_of_the_readme(service: Compose, session: requests.Session) -> None:
    values = {"param1": TEXT, "param2": "jobs"}
    assert session.get(f"{service.url}/", timeout=30).json()["message"] == "Hello World!"
    by_query = session.get(f"{service.url}/ai_service", params=values, timeout=70)
    by_body = session.post(f"{service.url}/ai_service", json=values, timeout=70)
    assert by_query.json()["result"] == by_body.json()["result"] != ""
    pdf = session.post(f"{service.url}/ai_service_binary", json=values, timeout=70)
    assert pdf.content.startswith(b"%PDF-")
    again = session.get(service.url + pdf.headers["Content-Location"], timeout=30)
    assert again.content == pdf.content


def test_nobody_without_a_key(service: Compose, session: requests.Session) -> None:
    session.headers.pop("X-API-Key")
    assert session.get(f"{service.url}/v1/agents", timeout=30).status_code == 401


def test_keys_are_made_inside(service: Compose, session: requests.Session) -> None:
    key = podman("exec", service.name("web"), "flask", "keys", "create", "--name", "tests").splitlines()[-1]
    session.headers["X-API-Key"] = key
    assert session.get(f"{service.url}/v1/agents", timeout=30).status_code == 200


def test_a_backup_is_made_inside(service: Compose) -> None:
    said = podman("exec", service.name("worker-io"), "python3", "-m", "deploy.backup", "save", "/tmp/backup.tar.gz")
    assert said.startswith("save: ")


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


def test_the_web_image_is_light() -> None:
    find = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is not None)"
    heavy = [("web", each, False) for each in ("typst", "onnxruntime", "pyarrow", "numpy", "openai", "boto3", "pip")]
    for image, module, there in (("worker", "typst", True), ("worker", "pip", False), *heavy):
        command = ["podman", "run", "--rm", "--network=none", f"localhost/slipway-{image}:test", "python3", "-c", find]
        assert (subprocess.run([*command, module], env=ENVIRONMENT, check=False).returncode == 1) == there


def test_the_images_say_what_they_are() -> None:
    for name in ("web", "worker", "nginx"):
        image = f"localhost/slipway-{name}:test"
        size = int(podman("image", "inspect", "--format", "{{.Size}}", image)) / 1e6
        base = int(podman("image", "inspect", "--format", "{{.Size}}", BASE)) / 1e6
        print(f"{image}: {size:.0f} MB, of which the base is {base:.0f} MB")
        labels = podman("image", "inspect", "--format", "{{.Labels}}", image)
        assert "org.opencontainers.image.title" in labels


@pytest.mark.parametrize("name", SERVICES)
def test_the_kill_of_a_container_loses_nothing(service: Compose, session: requests.Session, name: str) -> None:
    agents: list[tuple[str, dict[str, Any]]] = [("count", {"to": 40, "pause": 0.05}), ("compute", {"seconds": 2})]
    jobs = [submit(service, session, agent, **payload) for agent, payload in agents for _ in range(3)]
    wait_for(lambda: session.get(f"{service.url}/v1/jobs/{jobs[0]}", timeout=30).json()["status"] == "running", "idle")
    podman("kill", service.name(name))
    # As the restart policy does; podman takes a kill by hand for a wish.
    podman("start", service.name(name))
    assert [ended(service, session, job)["status"] for job in jobs] == ["completed"] * len(jobs)
    service.wait_until_ready()


@pytest.mark.parametrize("name", ["web", "worker-io", "worker-cpu", "nginx"])
def test_a_container_that_is_told_to_stop_loses_nothing(service: Compose, session: requests.Session, name: str) -> None:
    jobs = [submit(service, session, "count", to=40, pause=0.05) for _ in range(5)]
    jobs += [submit(service, session, "compute", seconds=1) for _ in range(3)]
    started = time.monotonic()
    podman("stop", "--time", "60", service.name(name))
    assert time.monotonic() - started < 55
    assert service.inspect(name)["State"]["ExitCode"] == 0
    podman("start", service.name(name))
    found = [ended(service, session, job) for job in jobs]
    assert [job["status"] for job in found] == ["completed"] * len(jobs)
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


def test_a_worker_that_is_cut_off_and_comes_back(service: Compose, session: requests.Session) -> None:
    """Its job ends once, whoever ends it."""
    container, network = service.name("worker-io"), "slipway-tests_back"
    job = submit(service, session, "count", to=100, pause=0.1)
    wait_for(lambda: session.get(f"{service.url}/v1/jobs/{job}", timeout=30).json()["status"] == "running", "idle")
    podman("network", "disconnect", network, container)
    time.sleep(15)  # beyond the lease (10 s)
    podman("network", "connect", network, container)
    found = ended(service, session, job)
    assert found["status"] == "completed"
    assert found["result"] == "".join(f"{number} " for number in range(1, 101))
    service.wait_until_ready()
