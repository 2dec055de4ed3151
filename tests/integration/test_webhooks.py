"""Webhooks over real processes: delivered, signed, tried again, delivered once more, and never sent inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.local.processes import ROOT
from deploy.local.stack import Stack
from deploy.local.valkey import free_port
from tasks.jobs import Engine, NewJob
from tasks.jobs.webhooks import Webhook
from tests.integration.conftest import AGENTS
from tests.support.client import Client, engine_of
from tests.support.tls import certificate, tls_proxy

PATIENCE = 40.0  # seconds; the second try comes after five
SECRET = "the-secret-of-the-service"


@dataclass
class Receiver:
    """Takes webhooks; answers as told, then with 204."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def wait(self, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
        deadline = time.monotonic() + PATIENCE
        while len(self.got) < count:
            assert time.monotonic() < deadline, f"{len(self.got)} messages of {count}"
            time.sleep(0.05)
        return self.got


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.answers.pop(0) if found.answers else 204)
            self.send_header("Location", f"{found.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, chain: tuple[Path, Path]) -> Iterator[Stack]:
    settings = {
        "AGENTS": AGENTS,
        "WEB_CONCURRENCY": "1",
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_ALLOW": "127.0.0.1",
        "WEBHOOK_CA_FILE": str(chain[0]),
    }
    with Stack(tmp_path_factory.mktemp("stack"), settings) as running:
        yield running


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)


@pytest.fixture
def engine(stack: Stack) -> Iterator[Engine]:
    engine = engine_of(stack)
    yield engine
    engine.redis.connection_pool.disconnect()


def header(url: str, *events: str) -> dict[str, str]:
    return {"Webhook": json.dumps({"url": url} | ({"events": events} if events else {}))}


def start(client: Client, agent: str, hook: dict[str, str], **values: Any) -> str:
    answer = client.post(f"/v1/agents/{agent}/jobs", json=values, headers=hook)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def deliveries(client: Client, job_id: str, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while len(log := client.job(job_id)["webhook"]["deliveries"]) < count:
        assert time.monotonic() < deadline, log
        time.sleep(0.05)
    return list(log)


def test_the_end_of_a_job_is_told_and_signed(client: Client, receiver: Receiver) -> None:
    job_id = start(client, "echo", header(f"{receiver.url}/hook?x=1"), text="hello")
    [(headers, body)] = receiver.wait()
    said = json.loads(body)
    assert (said["type"], said["data"]["id"], said["data"]["status"]) == ("job.completed", job_id, "completed")
    assert b"hello" not in body
    secret = base64.b64decode(client.get("/v1/webhooks/secret").json()["secret"].removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == f"msg_{job_id}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    [delivery] = deliveries(client, job_id, 1)
    assert (delivery["attempt"], delivery["status"], delivery["error"]) == (1, 204, "")


def test_the_receiver_of_the_page_verifies_what_it_is_sent(client: Client, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(# receiver.py.*?)```", page, re.DOTALL)
    (tmp_path / "receiver.py").write_text(code, encoding="utf-8")
    port, secret = free_port(), client.get("/v1/webhooks/secret").json()["secret"]
    environ = os.environ | {"WEBHOOK_SECRET": secret, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(tmp_path / "receiver.py")]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for_port(port)
            forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,bm8="}
            assert requests.post(url, data="{}", headers=forged, timeout=10).status_code == 401
            job_id = start(client, "echo", header(url), text="hello")
            assert process.stdout is not None
            assert process.stdout.readline() == f"job.completed {job_id}\n"
            assert deliveries(client, job_id, 1)[0]["status"] == 204
        finally:
            process.terminate()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_a_receiver_with_tls_is_told_and_one_with_anothers_certificate_is_not(
    client: Client, receiver: Receiver, chain: tuple[Path, Path], tmp_path: Path
) -> None:
    port = int(receiver.url.rpartition(":")[2])
    with tls_proxy(port, *chain) as secure, tls_proxy(port, *certificate(tmp_path)) as other:
        told, untold = (
            start(client, "echo", header(f"https://127.0.0.1:{each}/"), text="x") for each in (secure, other)
        )
        [good, *_], [bad, *_] = deliveries(client, told, 1), deliveries(client, untold, 1)
    assert (good["status"], good["error"]) == (204, "")
    assert (bad["status"], bad["error"]) == (0, "unreachable: SSLError")
    assert [json.loads(body)["data"]["id"] for _, body in receiver.got] == [told]


def test_only_the_ends_that_were_asked_for_are_told(client: Client, engine: Engine, receiver: Receiver) -> None:
    done = start(client, "echo", header(receiver.url, "failed"), text="x")
    failed = start(client, "fail", header(receiver.url, "failed"), how="agent_error")
    [(_, body)] = receiver.wait()
    assert json.loads(body)["data"]["error"]["code"] == "unknown_language"
    assert json.loads(body)["data"]["id"] == failed
    assert client.wait_for(done)["webhook"]["deliveries"] == []
    assert engine.redis.zscore(engine.keys.outbox, done) is None


def test_a_cancel_that_nobody_ran_is_told_too(client: Client, engine: Engine, receiver: Receiver) -> None:
    hook = Webhook(receiver.url, ("canceled",))
    job = engine.submit(NewJob(agent="echo", queue="nobody", owner="static", timeout=9, payload={}, webhook=hook))
    assert client.post(f"/v1/jobs/{job.id}/cancel").json()["status"] == "canceled"
    [(_, body)] = receiver.wait()
    assert json.loads(body)["type"] == "job.canceled"


def test_a_receiver_that_fails_is_tried_again_and_a_redirect_is_not_followed(
    client: Client, receiver: Receiver
) -> None:
    receiver.answers = [307]
    job_id = start(client, "echo", header(receiver.url), text="x")
    first, second = receiver.wait(2)
    assert first[1] == second[1]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    log = deliveries(client, job_id, 2)
    assert [(each["attempt"], each["status"], each["error"]) for each in log] == [
        (1, 307, "answered 307"),
        (2, 204, ""),
    ]


def test_a_message_is_delivered_once_more_when_asked_for(client: Client, engine: Engine, receiver: Receiver) -> None:
    job_id = start(client, "echo", header(receiver.url), text="x")
    deliveries(client, job_id, 1)
    assert engine.redis.zscore(engine.keys.outbox, job_id) is None
    answer = client.post(f"/v1/jobs/{job_id}/webhook/redeliver")
    assert answer.status_code == 202
    assert [each["attempt"] for each in deliveries(client, job_id, 2)] == [1, 1]
    assert len(receiver.wait(2)) == 2
    plain = client.wait_for(client.submit("echo", text="x"))
    assert client.post(f"/v1/jobs/{plain['id']}/webhook/redeliver").status_code == 404


def test_a_name_that_turned_private_after_it_was_taken_is_not_called(
    client: Client, engine: Engine, receiver: Receiver
) -> None:
    # Past the check of the request, as after a rebinding: `localhost` is not on the list of the workers.
    port = receiver.url.rpartition(":")[2]
    for scheme in ("https", "http"):
        hook = Webhook(f"{scheme}://localhost:{port}/", ("completed",))
        new = NewJob(agent="echo", queue="io", owner="static", timeout=9, payload={"text": "x"}, webhook=hook)
        [delivery] = deliveries(client, engine.submit(new).id, 1)
        assert delivery["status"] == 0
        assert delivery["error"].startswith("refused: ")
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://169.254.169.254/",
            "http://[::1]/",
            "https://localhost/",
            "https://[::1]/",
            "https://169.254.169.254/",
        ),
        *("http://localhost/", "https://127.0.0.2/", "https://no-such-name.invalid/", "ftp://127.0.0.1/", "x", ""),
    ],
)
def test_what_may_not_be_called_is_refused_with_the_request(client: Client, url: str) -> None:
    answer = client.post("/v1/agents/echo/jobs", json={"text": "x"}, headers=header(url))
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook_refused")
    assert "url is not called" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("{", 400),
        ("[]", 422),
        ("{}", 422),
        ('{"url":"https://127.0.0.1","event":[]}', 422),
        ('{"url":"https://127.0.0.1","events":["started"]}', 422),
        ('{"url":"https://127.0.0.1","events":[]}', 422),
    ],
)
def test_a_malformed_header_is_refused(client: Client, sent: str, status: int) -> None:
    answer = client.post("/v1/agents/echo/jobs", json={"text": "x"}, headers={"Webhook": sent})
    assert answer.status_code == status
