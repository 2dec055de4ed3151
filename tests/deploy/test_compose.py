"""compose.yaml and .env.example speak of what exists."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from deploy.local.processes import ROOT, procfile
from deploy.local.reference import variables
from tasks.worker.settings import WorkerSettings

COMPOSE = (ROOT / "compose.yaml").read_text()
EXAMPLE = dotenv_values(ROOT / ".env.example", interpolate=False)
# Where the file itself is; only tests have another.
OF_TESTS = {"ENV_FILE"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    return found


def asked() -> dict[str, str]:
    """The variables that compose.yaml asks for, with their defaults."""
    found = re.findall(r"\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}", COMPOSE)
    return {name: default for name, default in found if name not in OF_TESTS}


def test_the_example_names_what_is_read() -> None:
    assert set(asked()) <= set(EXAMPLE)
    for name in EXAMPLE:
        assert name in asked() or name in variables(), f"nobody reads {name}"


def test_the_example_has_the_defaults_of_compose() -> None:
    for name, default in asked().items():
        assert EXAMPLE[name] == default, name


def test_settings_and_processes_exist(services: dict[str, Any]) -> None:
    for name in ("web", "worker-io", "worker-cpu"):
        assert set(services[name]["environment"]) <= variables()
        for process in services[name].get("command", [name]):
            assert process in procfile()


def test_nginx_is_told_what_it_asks_for(services: dict[str, Any]) -> None:
    start = (ROOT / "deploy" / "nginx" / "start.sh").read_text()
    for name in services["nginx"]["environment"]:
        assert f': "${{{name}:=' in start


def test_every_service_is_bounded(services: dict[str, Any]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert {"mem_limit", "pids_limit", "stop_grace_period"} <= set(service)
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]


def test_workers_have_the_time_that_draining_takes(services: dict[str, Any]) -> None:
    for name in ("worker-io", "worker-cpu"):
        assert float(services[name]["stop_grace_period"].removesuffix("s")) >= WorkerSettings().drain + 15
