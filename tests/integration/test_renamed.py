"""The template made a project of one's own: another name, a new agent, and everything still holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.copies import copy_project, served

# A part of the tests that touches every room and most names; a whole run would take as long as the one it is part of.
TESTS = (
    "tests/architecture",
    "tests/unit/agents/test_translate.py",
    "tests/unit/jobs",
    "tests/unit/webapp/auth/test_keys.py",
    "tests/unit/webapp/http/test_problem.py",
    "tests/unit/webapp/test_openapi.py",
    "tests/integration/test_message.py",
    "tests/deploy/test_redis_configuration.py",
    "tests/deploy/test_systemd.py",
)


def run(copy: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=copy, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_project(tmp_path_factory.mktemp("theirs") / "harbour")
    run(copy, "-m", "deploy.local.rename", "harbour")
    run(copy, "-m", "deploy.local.new_agent", "translate")
    return copy


def test_the_old_name_is_nowhere(copy: Path) -> None:
    written = [path for path in copy.rglob("*") if "__pycache__" not in path.parts and ".venv" not in path.parts]
    left = [path for path in written if "slipway" in path.name.lower()]
    spoken = [path for path in written if path.is_file() and b"slipway" in path.read_bytes().lower()]
    assert (left, spoken) == ([], [])


def test_the_code_is_in_order(copy: Path) -> None:
    # Lines have another length now, and names another place in their order; `make rename` does the same.
    run(copy, "-m", "ruff", "format", "--quiet", ".")
    run(copy, "-m", "ruff", "check", "--fix-only", "--quiet", ".")
    run(copy, "-m", "ruff", "check", ".")
    run(copy, "-m", "mypy", "tasks/agents/translate.py", "tests/unit/agents/test_translate.py")


def test_its_tests_pass(copy: Path) -> None:
    run(copy, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *TESTS)


def test_it_is_served_under_its_name_with_the_new_agent(copy: Path) -> None:
    with served(copy, {"WEB_CONCURRENCY": "1"}) as service:
        assert requests.get(service.url, timeout=60).json()["name"] == "Harbour"
        assert requests.get(f"{service.url}/openapi.json", timeout=60).json()["info"]["title"] == "Harbour"
        answer = requests.post(
            f"{service.url}/v1/agents/translate/run", json={"text": "Hello."}, headers=service.headers, timeout=60
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "completed"), answer.text
