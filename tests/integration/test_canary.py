"""A secret that is put everywhere is found nowhere: not in a log, an error, a message or the environment's echo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from deploy.local.stack import Stack

CANARY = "canary7f3a91d2e8"  # as no other text here
SETTINGS = {
    "AGENTS": "tasks.agents,tests.support.agents",
    "WEB_CONCURRENCY": "1",
    "IO_CONCURRENCY": "10",
    "API_KEY": f"key-{CANARY}",
    "AGENT_SEARCH_KEY": f"agent-{CANARY}",
    "OPENAI_API_KEY": f"sk-{CANARY}-provider",
    "WEBHOOK_SECRET": f"a long secret of webhooks {CANARY}",
    # Nobody listens there: every question to the model fails, and says so.
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "AI_MODEL": "model",
    "PROVIDER_RETRIES": "0",
    "LOG_LEVEL": "DEBUG",
}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Everything that was said by a stack full of secrets."""
    with Stack(tmp_path_factory.mktemp("canary"), SETTINGS) as stack:
        said = provoke(stack)
        stack.stop()
        logs = "".join(path.read_text() for path in Path(stack.directory / "log").iterdir())
    assert logs.count('"event":"request"') >= 12
    return said + logs


def provoke(stack: Stack) -> str:
    key = {"X-API-Key": f"key-{CANARY}"}
    bearer = {"Authorization": f"Bearer key-{CANARY}"}
    wrong = {"X-API-Key": f"wrong-{CANARY}", "Cookie": f"session={CANARY}"}
    said = []
    calls: tuple[tuple[str, str, dict[str, str], Any], ...] = (
        ("GET", "/v1/agents", wrong, None),
        ("GET", "/v1/agents", {"Authorization": f"Basic {CANARY}"}, None),
        ("GET", "/v1/agents", {"Authorization": f"Bearer {CANARY}.{CANARY}.{CANARY}"}, None),
        ("GET", f"/v1/agents?api_key={CANARY}&token={CANARY}", key, None),
        ("GET", f"/ai_service?param1={CANARY}", key, None),
        ("POST", "/ai_service", bearer, {"param1": f"a prompt with {CANARY}"}),
        ("POST", "/ai_service_binary", key, {"param1": f"a prompt with {CANARY}"}),
        ("POST", "/ai_service", key, {"param1": {"password": CANARY}}),
        ("POST", "/chat", key, {"message": CANARY, "system_prompt": CANARY}),
        ("POST", "/chat/stream", key, {"message": CANARY}),
        ("POST", "/v1/chat/completions", key, {"model": "model", "messages": [{"role": "user", "content": CANARY}]}),
        ("POST", "/task", key | {"Webhook": f'{{"url": "https://127.0.0.1/{CANARY}"}}'}, {"prompt": CANARY}),
        ("POST", "/v1/api/pipelines/infer/unknown-1/unknown", bearer, [{"text": CANARY}]),
        ("POST", "/v1/agents/fail/run", key, {"how": "bug"}),
        ("POST", "/v1/agents/fail/run", key, {"how": CANARY}),
        ("POST", "/v1/agents/echo/run", wrong, {"text": CANARY}),
        ("GET", "/v1/jobs/0b6f3b52-7a0c-4a39-9d0b-5c4a7e1f2d11", key | {"X-Request-ID": f"{CANARY} forged"}, None),
    )
    for method, path, headers, body in calls:
        answer = requests.request(method, stack.url + path, headers=headers, json=body, timeout=60)
        # What an agent made of its input may hold it: that is the caller's own. Errors may not.
        said.append(answer.text if answer.status_code >= 400 else "")
        said.append(json.dumps(dict(answer.headers)))
    files = {"file": (f"{CANARY}.txt", CANARY, "text/plain")}
    assert requests.post(f"{stack.url}/v1/files", files=files, headers=key, timeout=60).status_code == 201
    malformed = requests.post(
        f"{stack.url}/ai_service",
        data=f'{{"param1": "{CANARY}',
        headers=key | {"Content-Type": "application/json"},
        timeout=60,
    )
    assert malformed.status_code == 400
    said.append(malformed.text)
    with redis.Redis.from_url(stack.redis_url) as client:
        # Messages hold ids only: what is in a queue, a log of slow commands or Celery's own is nobody's prompt.
        said.extend(str(client.lrange(name, 0, -1)) for name in client.scan_iter("slipway:queue:*", _type="list"))
    return "\n".join(said)


def test_a_secret_that_is_everywhere_is_found_nowhere(poisoned: str) -> None:
    lines = [line[:400] for line in poisoned.splitlines() if CANARY in line]
    assert lines == []


def test_what_an_exception_said_is_not_answered(poisoned: str) -> None:
    answers = [line for line in poisoned.splitlines() if line.startswith('{"type"')]
    assert answers
    assert not any("a secret detail" in each or "Traceback" in each for each in answers)
