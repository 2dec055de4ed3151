"""What Prometheus is told, by real web processes and real workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families
from websocket import create_connection

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from tasks import metrics
from tasks.jobs import Engine, LocalArtifacts, NewJob, connect
from tasks.jobs.attempts import Attempts
from tasks.jobs.environment import Secret
from tasks.jobs.load import QueueLoad, read_load
from tasks.jobs.settings import EngineSettings
from tasks.metrics.metric import DECLARED, Histogram, Metric, Reading
from tests.support.client import Client
from tests.support.model_server import ModelServer

TEXT = "The river rose. The bridge held. Nobody was hurt."


def scraped(stack: Stack, process: str) -> str:
    answer = requests.get(f"http://127.0.0.1:{stack.metrics_ports[process]}/metrics", timeout=10)
    assert answer.status_code == 200
    return answer.text


def value(text: str, name: str, **labels: str) -> float:
    """The sum of all samples of this name that have these labels."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


def rises(stack: Stack, process: str, before: str, by: float, metric: Metric, **labels: str) -> None:
    """Wait until a metric rose by this: the end of a job is told before it is counted."""
    name = metric.name + ("_count" if isinstance(metric, Histogram) else "")
    until = time.monotonic() + 10
    start = value(before, name, **labels)
    while (now := value(scraped(stack, process), name, **labels)) != pytest.approx(start + by):
        assert time.monotonic() < until, f"{name} rose by {now - start}, not by {by}"
        time.sleep(0.05)


def test_a_request_and_its_job_are_counted_on_both_sides(stack: Stack) -> None:
    web, io = scraped(stack, "web"), scraped(stack, "worker-io")
    client = Client(stack)
    for _ in range(10):  # to both web processes, whichever is asked for the metrics
        assert client.get("/ai_service", params={"param1": TEXT}).status_code == 200
    agent = {"agent": "ai_service", "queue": "io"}
    rises(stack, "web", web, 10, metrics.HTTP_REQUESTS, route="/ai_service", method="GET", status="200")
    rises(stack, "web", web, 10, metrics.HTTP_SECONDS, route="/ai_service")
    rises(stack, "web", web, 10, metrics.JOBS_SUBMITTED, **agent)
    rises(stack, "worker-io", io, 10, metrics.JOBS_ENDED, status="completed", **agent)
    for timed in (metrics.JOB_WAIT, metrics.JOB_SECONDS, metrics.FIRST_TOKEN):
        rises(stack, "worker-io", io, 10, timed, **agent)
    spent = scraped(stack, "worker-io")
    assert value(spent, metrics.TOKENS.name, agent="ai_service", kind="prompt") > 0


def test_the_children_of_a_cpu_worker_are_counted_together(stack: Stack) -> None:
    cpu = scraped(stack, "worker-cpu")
    answers = [Client(stack).get("/ai_service_binary", params={"param1": TEXT}) for _ in range(4)]
    made = sum(len(answer.content) for answer in answers)
    agent = {"agent": "ai_service_binary"}
    rises(stack, "worker-cpu", cpu, 4, metrics.JOBS_ENDED, queue="cpu", status="completed", **agent)
    rises(stack, "worker-cpu", cpu, 4, metrics.ARTIFACTS, **agent)
    rises(stack, "worker-cpu", cpu, made, metrics.ARTIFACT_BYTES, **agent)


def test_failed_and_canceled_jobs_are_counted_as_what_they_are(stack: Stack) -> None:
    client = Client(stack)
    web, io = scraped(stack, "web"), scraped(stack, "worker-io")
    assert client.post("/v1/agents/fail/run", json={"how": "bug"}).status_code == 500
    job_id = client.submit("count", to=600, pause=0.05)
    client.wait_for(job_id, "running")
    client.post(f"/v1/jobs/{job_id}/cancel")
    client.wait_for(job_id, "canceled")
    rises(stack, "worker-io", io, 1, metrics.JOBS_ENDED, agent="fail", status="failed")
    rises(stack, "worker-io", io, 1, metrics.JOBS_ENDED, agent="count", status="canceled")
    rises(stack, "web", web, 1, metrics.JOBS_SUBMITTED, agent="count")


def test_a_stream_is_counted_while_it_is_open(stack: Stack) -> None:
    client, before = Client(stack), scraped(stack, "web")
    job_id = client.submit("count", to=600, pause=0.05)
    with client.get(f"/v1/jobs/{job_id}/events", stream=True) as stream:
        lines = stream.iter_lines()
        next(lines)
        rises(stack, "web", before, 1, metrics.STREAMS_OPEN)
        assert value(scraped(stack, "web"), metrics.HUB_SUBSCRIPTIONS.name) >= 1
        assert value(scraped(stack, "web"), metrics.HUB_CONNECTIONS.name) == 2  # one of each process
        client.post(f"/v1/jobs/{job_id}/cancel")
        assert b"event: canceled" in list(lines)
    rises(stack, "web", before, 0, metrics.STREAMS_OPEN)


def test_callers_do_not_reach_the_metrics_and_metrics_are_all_that_their_port_has(stack: Stack) -> None:
    client = Client(stack)
    assert client.get("/metrics").status_code == 404
    assert "/metrics" not in client.get("/openapi.json").json()["paths"]
    for process in ("web", "worker-io"):
        port = stack.metrics_ports[process]
        # Neither a path nor a header that names the other port leads anywhere else.
        for path in ("/", "/v1/agents", "/metrics/", "/livez"):
            headers = {"X-API-Key": stack.api_key, "Host": f"127.0.0.1:{stack.port}"}
            assert requests.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10).status_code == 404
        assert requests.post(f"http://127.0.0.1:{port}/metrics", timeout=10).status_code == 404
    named = {"Host": f"127.0.0.1:{stack.metrics_ports['web']}", "X-Forwarded-Port": str(stack.metrics_ports["web"])}
    assert client.get("/metrics", headers=named).status_code == 404


def test_no_caller_can_make_up_a_label(stack: Stack) -> None:
    client = Client(stack)
    client.get("/made-up-7f3a")
    client.request("MADEUP", "/livez")
    client.get("/v1/jobs/0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11")
    text = scraped(stack, "web")
    assert "made-up-7f3a" not in text
    assert "MADEUP" not in text
    assert "0b6f3b52" not in text
    assert value(text, metrics.HTTP_REQUESTS.name, route="/v1/jobs/<uuid:job_id>", status="404") >= 1
    assert value(text, metrics.HTTP_REQUESTS.name, route="unknown", status="404") >= 1


def test_a_file_that_was_just_made_or_left_empty_is_no_fault(stack: Stack) -> None:
    folders = {path.parent for path in (stack.directory / "metrics").rglob("*.db")}
    assert folders
    left = [folder / "counter_9999.db" for folder in folders]
    for path in left:
        path.touch()
    try:
        assert all(scraped(stack, process) for process in stack.metrics_ports)
    finally:
        for path in left:
            path.unlink()


def test_what_is_told_is_declared_and_labelled_as_declared(stack: Stack) -> None:
    declared = {each.name: set(each.labels) for each in DECLARED}
    for process in stack.metrics_ports:
        for family in text_string_to_metric_families(scraped(stack, process)):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            assert all(set(each.labels) - {"le"} == declared[name] for each in family.samples), name


def test_a_web_process_that_was_replaced_is_counted_on(stack: Stack) -> None:
    client, folder = Client(stack), stack.directory / "metrics" / "web"
    client.get("/livez")
    before, files = scraped(stack, "web"), sorted(folder.iterdir())
    known = children_of(stack.processes["web"].pid)
    os.kill(known[0], signal.SIGKILL)
    stack.wait_for(
        "the new process",
        lambda: (
            known[0] not in (living := children_of(stack.processes["web"].pid))
            and len(living) == len(known)
            and value(scraped_or_nothing(stack), metrics.HUB_CONNECTIONS.name) == 2
        ),
        30,
    )
    counted = value(before, metrics.HTTP_REQUESTS.name, route="/livez", status="200")
    for _ in range(10):
        client.get("/livez")
    assert value(scraped(stack, "web"), metrics.HTTP_REQUESTS.name, route="/livez", status="200") == counted + 10
    assert sorted(folder.iterdir()) == files


def scraped_or_nothing(stack: Stack) -> str:
    try:
        return scraped(stack, "web")
    except requests.ConnectionError:  # it was on the process that died
        return ""


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_line_is_read_from_the_records(valkey_url: str, tmp_path: Path) -> None:
    settings = EngineSettings(redis_url=Secret(valkey_url), artifacts_dir=tmp_path)
    engine = Engine(connect(settings), settings, LocalArtifacts(tmp_path))
    assert load(engine)["io"] == QueueLoad(0, 0, 0, 0, 0)
    jobs = [engine.submit(NewJob("a", "io", "me", 10, {})) for _ in range(3)]
    engine.submit(NewJob("b", "cpu", "me", 10, {}))
    worker = Attempts(engine.redis, settings, "w")
    assert worker.claim(jobs[0].id, "io") is not None
    engine.redis.zadd(engine.keys.workers("io"), {"here": engine.now() * 1000 + 9000, "gone": engine.now() * 1000 - 1})
    engine.redis.zadd(engine.keys.pending("io"), {jobs[1].id: int(engine.now() * 1000) - 5000})
    io, cpu = load(engine)["io"], load(engine)["cpu"]
    assert (io.waiting, io.messages, io.running, io.workers) == (2, 3, 1, 1)
    assert 5.0 <= io.oldest < 60.0
    assert (cpu.waiting, cpu.messages, cpu.running, cpu.workers) == (1, 1, 0, 0)


def load(engine: Engine) -> Mapping[str, QueueLoad]:
    return read_load(engine.redis, engine.keys, list(engine.settings.queues)).queues


TOGETHER = """
from gevent import monkey; monkey.patch_all()
import gevent, sys, time
from pathlib import Path
from tasks import metrics
from tasks.metrics.counting import count
from tasks.worker.threads import start_os_thread
count(Path(sys.argv[1]), "main")
done = []
def in_a_thread():
    for _ in range(20000):
        metrics.KEEPER_ACTIONS.add("resent")
    done.append(True)
def in_a_greenlet():
    for turn in range(2000):
        metrics.JOB_SECONDS.observe(0.1, "a", "io")
        turn % 100 or gevent.sleep(0)
for number in range(3):
    start_os_thread(f"counts-{number}", in_a_thread)
gevent.joinall([gevent.spawn(in_a_greenlet) for _ in range(10)])
while len(done) < 3:
    gevent.sleep(0.05)
"""


def test_threads_and_greenlets_of_one_process_count_without_holding_each_other_up(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TOGETHER, str(tmp_path)], cwd=ROOT, timeout=90, check=False)
    assert done.returncode == 0
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(tmp_path))  # type: ignore[no-untyped-call]
    text = generate_latest(registry).decode()
    assert value(text, metrics.KEEPER_ACTIONS.name, action="resent") == 60_000
    assert value(text, f"{metrics.JOB_SECONDS.name}_count", agent="a") == 20_000


def test_the_readings_of_the_line_are_told_by_every_process(stack: Stack) -> None:
    readings = {each.name for each in DECLARED if isinstance(each, Reading)}
    for process in stack.metrics_ports:
        text = scraped(stack, process)
        assert {family.name for family in text_string_to_metric_families(text)} >= readings
        assert value(text, metrics.REDIS_UP.name) == 1
        assert value(text, metrics.WORKERS.name, queue="io") >= 1


def test_the_model_server_is_counted_with_what_it_fails_at(chat_stack: Stack, model: ModelServer) -> None:
    client, before = Client(chat_stack), scraped(chat_stack, "worker-io")
    try:
        model.control(fault="503", times=1)
        assert client.post("/chat", json={"message": "Hello"}).status_code == 200
        model.control(fault="400")
        assert client.post("/chat", json={"message": "Hello"}).status_code == 502
    finally:
        model.reset()
    rises(chat_stack, "worker-io", before, 1, metrics.PROVIDER_RETRIES, reason="503")
    rises(chat_stack, "worker-io", before, 1, metrics.PROVIDER_FAILURES, reason="400")
    # The worker asks for the list of models, too.
    after = scraped(chat_stack, "worker-io")
    asked, answered = metrics.PROVIDER_REQUESTS.name, f"{metrics.PROVIDER_SECONDS.name}_count"
    assert value(after, asked) >= value(before, asked) + 2
    assert value(after, answered) >= value(before, answered) + 1


def test_sockets_are_counted_while_they_are_open(chat_stack: Stack) -> None:
    before = scraped(chat_stack, "web")
    address = f"{chat_stack.url.replace('http', 'ws')}/ws/counted"
    socket = create_connection(address, header={"X-API-Key": chat_stack.api_key}, timeout=10)
    try:
        rises(chat_stack, "web", before, 1, metrics.SOCKETS_OPEN)
    finally:
        socket.close()
    rises(chat_stack, "web", before, 0, metrics.SOCKETS_OPEN)
