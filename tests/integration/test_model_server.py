"""The shipped agents with a model server behind them, and with none that answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deploy.local.stack import Stack
from deploy.local.valkey import free_port
from tests.support.client import Client
from tests.support.model_server import ModelServer

KEY = "sk-of-the-model-server"
INPUT = {"param1": "Cats sleep.", "param2": "Who sleeps?"}


@pytest.fixture(scope="module")
def model_server() -> Iterator[ModelServer]:
    with ModelServer(key=KEY) as server:
        yield server


def serve(directory: Path, base_url: str, key: str = KEY) -> Stack:
    settings = {
        "WEB_CONCURRENCY": "1",
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": key,
        "AI_MODEL": "echo",
        "PROVIDER_RETRIES": "1",
    }
    return Stack(directory, settings)


def test_the_answer_is_the_models_and_is_paid_for(tmp_path: Path, model_server: ModelServer) -> None:
    with serve(tmp_path, model_server.base_url) as stack:
        client = Client(stack)
        answer = client.post("/v1/agents/ai_service/run", json=INPUT)
        assert answer.status_code == 200
        assert "Who sleeps?" in answer.json()["result"]
        assert "Cats sleep." in answer.json()["result"]
        assert answer.json()["usage"]["total_tokens"] > 0
        pdf = client.post("/ai_service_binary", json=INPUT)
        assert pdf.content.startswith(b"%PDF-")


@pytest.mark.parametrize("fault", ["away", "wrong key"])
def test_a_model_server_that_gives_no_answer_is_a_502_without_internals(
    tmp_path: Path, model_server: ModelServer, fault: str
) -> None:
    base_url = f"http://127.0.0.1:{free_port()}/v1" if fault == "away" else model_server.base_url
    with serve(tmp_path, base_url, key="sk-canary-that-nobody-may-see") as stack:
        answer: requests.Response = Client(stack).post("/ai_service", json=INPUT)
        assert answer.status_code == 502
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "provider_error"
        job = Client(stack).job(answer.headers["X-Job-ID"])
        assert job["status"] == "failed"
        logs = "".join(path.read_text() for path in stack.log_path("web").parent.iterdir())
        for secret in ("canary", base_url.removeprefix("http://")):
            assert secret not in answer.text + str(job)
        assert "canary" not in logs
