"""A trace goes from the caller through web, queue and worker to the model server; with and without OpenTelemetry."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid

import pytest

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from tasks import tracing
from tasks.tracing import exporting
from tasks.tracing.settings import TracingSettings
from tests.support.client import Client, engine_of
from tests.support.collector import Collector, Received
from tests.support.logs import lines_about
from tests.support.model_server import ModelServer

INPUT = {"param1": "Cats sleep.", "param2": "Who sleeps?"}


def new_trace() -> tuple[str, str]:
    """The id of a trace, and the `traceparent` of a caller in it."""
    trace = uuid.uuid4().hex
    return trace, f"00-{trace}-00f067aa0ba902b7-01"


def spans(collector: Collector, trace: str, count: int) -> dict[str, Received]:
    """The spans of a trace by service and kind of work, once there are so many."""
    until = time.monotonic() + 20
    while len(found := collector.of(trace)) < count:
        assert time.monotonic() < until, found
        time.sleep(0.1)
    return {f"{span.service} {span.name}": span for span in found}


def test_the_spans_of_a_request_hang_together_across_the_queue(
    chat_stack: Stack, collector: Collector, model: ModelServer
) -> None:
    trace, sent = new_trace()
    answer = Client(chat_stack).post("/v1/agents/ai_service/run", json=INPUT, headers={"traceparent": sent})
    assert answer.status_code == 200
    found = spans(collector, trace, 3)
    web = found["slipway-web POST /v1/agents/ai_service/run"]
    run = found["slipway-io run ai_service"]
    call = found["slipway-io POST /chat/completions"]
    assert (web.parent, run.parent, call.parent) == ("00f067aa0ba902b7", web.id, run.id)
    assert model.stats()["traceparent"] == f"00-{trace}-{call.id}-01"
    job_id = answer.headers["X-Job-ID"]
    assert web.attributes["job.id"] == run.attributes["job.id"] == job_id
    assert web.attributes["http.response.status.code"] == 200
    assert run.attributes["request.id"] == answer.headers["X-Request-ID"]
    # What was asked and answered is nobody's but the caller's.
    assert "Cats" not in str(found)


def test_what_fails_is_marked(chat_stack: Stack, collector: Collector) -> None:
    trace, sent = new_trace()
    assert Client(chat_stack).post(
        "/v1/agents/fail/run", json={"how": "bug"}, headers={"traceparent": sent}
    ).status_code == 500  # fmt: skip
    found = spans(collector, trace, 2)
    assert {name: span.failed for name, span in found.items()} == {
        "slipway-web POST /v1/agents/fail/run": True,
        "slipway-io run fail": True,
    }


def test_a_request_without_a_trace_begins_one(chat_stack: Stack, collector: Collector) -> None:
    answer = Client(chat_stack).post("/v1/agents/echo/run", json={"text": "x"}, headers={"traceparent": "00-bad"})
    job = engine_of(chat_stack).get(answer.headers["X-Job-ID"])
    assert job is not None
    found = spans(collector, tracing.trace_id(job.traceparent), 2)
    assert found["slipway-web POST /v1/agents/echo/run"].parent == ""


def test_without_a_collector_the_callers_trace_goes_on_as_it_came(stack: Stack) -> None:
    trace, sent = new_trace()
    answer = Client(stack).post("/v1/agents/echo/run", json={"text": "x"}, headers={"traceparent": sent})
    job = engine_of(stack).get(answer.headers["X-Job-ID"])
    assert job is not None
    assert job.traceparent == sent
    for process in ("web", "worker-io"):
        lines = lines_about(stack, process, trace)
        assert {line["trace_id"] for line in lines} == {trace}


@pytest.mark.parametrize(
    "sent", ["", "00-bad", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "<script>", "ff-" + "a" * 52]
)
def test_what_is_no_trace_is_not_handed_on(sent: str) -> None:
    assert tracing.valid(sent) == ""


def test_nothing_is_loaded_that_is_not_wanted() -> None:
    # Where it is installed, redis-py loads the half of it that is about metrics; so it is not, here.
    program = (
        "import sys; sys.modules['opentelemetry'] = None; import webapp.wsgi, tasks.worker.main;"
        "print([name for name in sys.modules if name.startswith('opentelemetry.')])"
    )
    environ = {"PATH": os.environ["PATH"], "API_KEY": "a key"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_the_library_the_process_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    exporting.start(TracingSettings(endpoint="http://127.0.0.1:9"), "slipway-web")
    assert "tracing.not_installed install='requirements-otel.txt'" in caplog.text
    _, sent = new_trace()
    assert tracing.begin("request", "server", sent).traceparent == sent
