"""The server in the cluster starts with its configuration, and knows who may do what."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.kubernetes.checks.build import ROOT
from deploy.local.valkey import _binary, free_port
from deploy.redis.acl import ROLES, render, variable

PASSWORD = "for-development-only"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("redis")
    text = (ROOT / "base" / "redis" / "valkey.conf").read_text()
    users = ROOT / "overlays" / "dev" / "users.acl"
    text = text.replace("/run/secrets/redis/users.acl", str(users)).replace("dir /data", f"dir {folder}")
    port = free_port()
    (folder / "valkey.conf").write_text(f"{text}\nport {port}\nbind 127.0.0.1\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([_binary(), str(folder / "valkey.conf")], stdout=log, stderr=log)
    _wait_for(port, process, folder / "log")
    yield port
    process.terminate()
    process.wait(60)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            with redis.Redis(port=port, username="probe", password="-") as probe:
                probe.ping()
                return
        except redis.ConnectionError:
            time.sleep(0.05)


def test_the_settings_are_taken(port: int) -> None:
    with redis.Redis(port=port, username="operator", password=PASSWORD, decode_responses=True) as client:
        found = {name: client.config_get(name)[name] for name in ("appendonly", "maxmemory-policy", "maxmemory")}
    assert found == {"appendonly": "yes", "maxmemory-policy": "noeviction", "maxmemory": str(683 * 1024 * 1024)}


def test_the_users_are_those_of_the_project() -> None:
    passwords = {variable(role): PASSWORD for role in ROLES}
    assert (ROOT / "overlays" / "dev" / "users.acl").read_text() == render(passwords)


def test_the_probes_may_do_nothing_else(port: int) -> None:
    with (
        redis.Redis(port=port, username="probe", password="-") as probe,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        probe.get("slipway:job:x")


def test_nobody_comes_in_without_a_password(port: int) -> None:
    with redis.Redis(port=port) as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()
