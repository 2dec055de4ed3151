"""Pipelines from the command line and from folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tasks.pipelines.description import SHARED
from tasks.pipelines.folders import Folder, deploy_folder
from tasks.pipelines.management import Management
from tasks.pipelines.registry import Registry
from tests.support.client import engine_of, other_key
from tests.support.onnx_models import WIDTH, doubling, summing
from tests.support.pipelines import Caller

BODY = {"text_input": [[1.0] * WIDTH]}


def flask(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "--app", "webapp.wsgi", "pipelines", *words]
    environment = os.environ | stack.environment | {"COLUMNS": "200"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def name() -> str:
    return f"shell-{uuid.uuid4().hex[:8]}"


def test_a_model_is_deployed_listed_and_undeployed_by_commands(stack: Stack, tmp_path: Path, name: str) -> None:
    for file, content in (("sum.onnx", summing()), ("twice.onnx", doubling("main", "twice"))):
        (tmp_path / file).write_bytes(content)
    files = [str(tmp_path / "sum.onnx"), str(tmp_path / "twice.onnx")]
    options = ["--workspace", name, "--check", "twice < 100", "--max-batch", "4"]
    deployed = flask(stack, "deploy", name, *files, *options)
    assert deployed.returncode == 0, deployed.stderr
    path = deployed.stdout.split()[-1]
    anybody = Caller(stack, other_key(stack))
    [result] = anybody.infer(path, BODY).json()
    assert result["outputs"][0]["Float"]["data"] == [100.0]
    assert result["check_failures"] == [{"False": {"expr": "twice < 100"}}]
    listed = flask(stack, "list").stdout
    assert name in listed
    assert "sum, twice" in listed
    assert flask(stack, "undeploy", name).returncode == 0
    assert anybody.infer(path, BODY).status_code == 404
    gone = flask(stack, "undeploy", name)
    assert gone.returncode == 1
    assert "Nothing is deployed" in gone.stderr


def test_a_command_says_why_a_model_is_refused(stack: Stack, tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    refused = flask(stack, "deploy", name, str(tmp_path / "bad.onnx"), "--workspace", name)
    assert refused.returncode == 1
    assert "it is no ONNX model" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.fixture
def folder(tmp_path: Path, name: str) -> Path:
    (tmp_path / "model.onnx").write_bytes(summing())
    described = {"workspace": name, "pipeline": name, "models": [{"name": "adder", "file": "model.onnx"}]}
    (tmp_path / "pipeline.json").write_text(json.dumps(described))
    return tmp_path


@pytest.fixture
def management(stack: Stack) -> Iterator[tuple[Management, Registry]]:
    engine = engine_of(stack)
    registry = Registry(engine.redis, engine.settings)
    yield Management(engine, registry), registry
    engine.redis.connection_pool.disconnect()


def test_a_folder_is_deployed_when_it_is_new_and_only_then(
    stack: Stack, folder: Path, name: str, management: tuple[Management, Registry]
) -> None:
    found, registry = Folder.read(folder), management[1]
    assert found.complete
    deployed = deploy_folder(found, *management)
    assert deployed is not None
    assert deployed.owner == SHARED
    answer = Caller(stack, other_key(stack)).infer(f"{name}-{deployed.id}", BODY)
    assert answer.json()[0]["outputs"][0]["Float"]["data"] == [50.0]
    registry.undeploy(deployed.id)
    assert deploy_folder(found, *management) is None  # somebody has undeployed it, and a restart does not bring it back
    assert registry.deployment(deployed.id) is None
    (folder / "model.onnx").write_bytes(summing(2.0))
    again = deploy_folder(found, *management)
    assert again is not None
    assert (again.id, again.version != deployed.version) == (deployed.id, True)


def test_a_worker_deploys_the_folders_of_its_setting(tmp_path: Path, folder: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "mine").symlink_to(folder, target_is_directory=True)
    (root / "broken").mkdir()
    (root / "broken" / "pipeline.json").write_text("{}")
    settings = {"PIPELINES": str(root), "CPU_CONCURRENCY": "1", "WEB_CONCURRENCY": "1"}
    with Stack(tmp_path / "stack", settings, only=("web", "worker-cpu")) as stack:
        engine = engine_of(stack)
        registry = Registry(engine.redis, engine.settings)
        stack.wait_for("the deployment", lambda: bool(registry.deployments()), 60)
        [deployed] = registry.deployments()
        caller = Caller(stack)
        caller.wait_until_running(f"{name}-{deployed.id}")
        assert caller.infer(f"{name}-{deployed.id}", BODY).status_code == 200
        engine.redis.connection_pool.disconnect()
