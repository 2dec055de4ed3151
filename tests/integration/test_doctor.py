"""`flask doctor` names each fault of a real installation, with what to do about it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port
from tests.support.model_server import ModelServer
from webapp.doctor.broker import judge


def doctor(stack: Stack, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """What it ends with, and what it found: by check, the worst of each."""
    done = ask(stack, "--json", **settings)
    found = json.loads(done.stdout)
    assert found["healthy"] == (done.returncode == 0), done.stderr
    return done.returncode, {each["check"]: each for each in found["findings"]}


def ask(stack: Stack, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    flask = str(Path(sys.executable).with_name("flask"))
    environ = stack.environment | {"FLASK_APP": "webapp.wsgi"} | settings
    return subprocess.run(
        [flask, "doctor", *options], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Stack]:
    """A stack with a wrong model key, whose io worker cannot store files, and without a cpu worker."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "file").write_text("no folder")
    settings = {
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_API_KEY": "sk-wrong-and-not-to-be-seen",
        "AI_MODEL": "small",
        "PROVIDER_RETRIES": "0",
        "ARTIFACTS_DIR": str(folder / "file" / "artifacts"),
    }
    running = Stack(folder, settings, only=("worker-io",))
    running.start()
    running.wait_for("the worker's word", lambda: "workers: provider" in doctor(running)[1], 30)
    yield running
    running.kill()


@pytest.fixture(scope="module")
def found(wrong: Stack) -> dict[str, dict[str, Any]]:
    code, found = doctor(wrong)
    assert code == 1
    return found


def test_a_sound_stack_has_no_fault(stack: Stack) -> None:
    code, found = doctor(stack)
    assert code == 0, found
    assert {name for name, each in found.items() if each["state"] == "ok"} >= {
        *("redis", "redis version", "persistence", "eviction", "artifacts", "keys", "queue io", "queue cpu"),
        *("workers: provider", "workers: model", "workers: artifacts", "settings"),
    }


def test_people_read_the_same(wrong: Stack) -> None:
    done = ask(wrong)
    assert done.returncode == 1
    assert "No worker takes jobs of the queue cpu" in done.stdout
    assert "→ Start one" in done.stdout
    assert "faults found." in done.stdout


def test_redis_is_down(wrong: Stack) -> None:
    code, found = doctor(wrong, REDIS_URL=f"redis://:a-password-of-redis@127.0.0.1:{free_port()}/0")
    assert code == 1
    assert found["redis"]["state"] == "fault"
    assert "does not answer" in found["redis"]["found"]
    assert "REDIS_URL" in found["redis"]["fix"]
    assert found["workers"]["state"] == "unknown"
    assert "a-password-of-redis" not in json.dumps(found)


def test_no_worker_takes_the_jobs_of_a_queue(found: dict[str, dict[str, Any]]) -> None:
    assert found["queue io"]["state"] == "ok"
    assert found["queue cpu"]["state"] == "fault"
    assert "ai_service_binary" in found["queue cpu"]["found"]
    assert "--queues cpu" in found["queue cpu"]["fix"]


def test_the_key_of_the_model_server_is_wrong(found: dict[str, dict[str, Any]]) -> None:
    assert found["workers: provider"]["state"] == "fault"
    assert "did not accept its key (401)" in found["workers: provider"]["found"]
    assert "OPENAI_API_KEY" in found["workers: provider"]["fix"]
    assert "sk-wrong" not in json.dumps(found)


def test_the_model_is_not_known(chat_stack: Stack) -> None:
    _, found = doctor(chat_stack)
    assert found["workers: provider"]["state"] == "ok"
    assert found["workers: model"]["found"] == "The model server does not list the model small."
    assert "AI_MODEL" in found["workers: model"]["fix"]


def test_the_artifact_store_takes_no_file_from_web_nor_worker(found: dict[str, dict[str, Any]]) -> None:
    for check in ("artifacts", "workers: artifacts"):
        assert found[check]["state"] == "fault"
        assert "ARTIFACTS_DIR" in found[check]["fix"]


def test_there_is_no_key(wrong: Stack) -> None:
    code, found = doctor(wrong, API_KEY="")
    assert code == 1
    assert found["keys"]["state"] == "fault"
    assert "flask keys create" in found["keys"]["fix"]


def test_settings_that_are_no_good_where_strangers_call(stack: Stack) -> None:
    unwise = {"PUBLIC_BASE_URL": "http://api.example.com", "API_KEY": "short", "FAILURE_LIMIT": "off"}
    done = ask(stack, "--json", **unwise)
    assert done.returncode == 1
    said = [each["found"] for each in json.loads(done.stdout)["findings"] if each["check"] == "settings"]
    for named in ("API_KEY is shorter", "PUBLIC_BASE_URL is http", "PROXIES is 0", "Limits of requests are off"):
        assert any(named in each for each in said), said


def test_a_setting_that_cannot_be_read_is_named_and_nothing_else(stack: Stack) -> None:
    done = ask(stack, SYNC_BUDGET_SECONDS="soon")
    assert done.returncode == 1
    assert done.stderr.startswith("SYNC_BUDGET_SECONDS must be float, but is 'soon'")
    assert "Traceback" not in done.stderr


def test_a_server_that_forgets_is_a_fault(tmp_path: Path) -> None:
    import redis

    server = Valkey(tmp_path, free_port())
    server.start()
    try:
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            client.config_set("appendonly", "no")
            client.config_set("maxmemory", "100mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
            found = {each.check: each for each in judge(client.info())}
    finally:
        server.stop()
    assert (found["persistence"].state, found["eviction"].state) == ("fault", "fault")
    assert "appendonly yes" in found["persistence"].fix
    assert "noeviction" in found["eviction"].fix
    assert found["redis version"].state == "ok"


def test_a_server_that_is_too_old_is_a_fault() -> None:
    about = {"redis_version": "5.0.7", "aof_enabled": 1, "maxmemory": 0, "maxmemory_policy": "noeviction"}
    (fault,) = [each for each in judge(about) if each.state == "fault"]
    assert fault.found == "It is Redis 5.0.7."
    assert "6.2" in fault.fix
