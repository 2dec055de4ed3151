"""The OpenAPI document in the hands of others: a strict linter, and a generator whose client is used."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import requests

from deploy.local.stack import Stack
from tests.support.toolbox import OPENAPI, generator, linter

# Runs with the generator's Python, which has what the client needs; ours has not.
USE = """
import sys
from slipway_client import AuthenticatedClient
from slipway_client.api.agents import list_agents, run_ai_service
from slipway_client.api.ai_service import post_ai_service
from slipway_client.api.jobs import get_artifact, get_job, list_jobs
from slipway_client.api.agents import run_ai_service_binary
from slipway_client.models import AiServiceBinaryInput, AiServiceInput, JobStatus, Problem

url, key, text = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)
assert "report" in [agent.name for agent in list_agents.sync(client=client).agents]
assert text.split(".")[0] in post_ai_service.sync(client=client, body=AiServiceInput(param1=text)).result
job = run_ai_service.sync(client=client, body=AiServiceInput(param1=text))
assert job.status is JobStatus.COMPLETED and job.error is None, job
assert get_job.sync(job.id, client=client).result == job.result
assert job.id in [each.id for each in list_jobs.sync(client=client).jobs]
printed = run_ai_service_binary.sync(client=client, body=AiServiceBinaryInput(param1=text))
file = get_artifact.sync(printed.id, printed.artifacts[0].name, client=client)
assert file.payload.read(5) == b"%PDF-"
refused = run_ai_service.sync(client=client, body=AiServiceInput(param1=""))
assert isinstance(refused, Problem) and refused.errors[0].field == "param1", refused
wrong = run_ai_service.sync(client=AuthenticatedClient(base_url=url, token="wrong"), body=AiServiceInput(param1=text))
assert (wrong.status, wrong.code) == (401, "unauthorized")
print("used")
"""
TEXT = "A ramp is a slope on which ships are launched. Ships are heavy."


@pytest.fixture(scope="module")
def document(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(requests.get(f"{stack.url}/openapi.json", timeout=30).content)
    return path


def lint(document: Path) -> list[str]:
    """What the linter finds, each with where it is."""
    command = [*linter(), "lint", str(document), "--config", str(OPENAPI / "redocly.yaml"), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    problems = json.loads(done.stdout)["problems"]
    assert (done.returncode == 0) is not any(each["severity"] == "error" for each in problems), done.stderr
    return [f"{each['ruleId']} at {each['location'][0].get('pointer')}: {each['message']}" for each in problems]


def test_a_strict_linter_has_nothing_to_say(document: Path) -> None:
    assert lint(document) == []


def test_the_linter_does_look(document: Path, tmp_path: Path) -> None:
    spoiled = json.loads(document.read_text())
    spoiled["paths"]["/task"]["post"]["responses"]["202"]["content"]["application/json"]["example"] = {"status": 1}
    (tmp_path / "spoiled.json").write_text(json.dumps(spoiled))
    assert any("/paths/~1task/post" in problem for problem in lint(tmp_path / "spoiled.json"))


def test_a_client_is_generated_without_a_warning_and_works(stack: Stack, document: Path, tmp_path: Path) -> None:
    programs = generator()
    options = ["--config", str(OPENAPI / "generator.yaml"), "--output-path", "slipway_client", "--meta", "none"]
    made = subprocess.run(
        [str(programs / "openapi-python-client"), "generate", "--path", str(document), *options, "--fail-on-warning"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    use = [str(programs / "python"), "-c", USE, stack.url, stack.api_key, TEXT]
    used = subprocess.run(use, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert used.stdout == "used\n", used.stderr
