"""The stack runs with a Redis user for each role over TLS, and no role can do more than its work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from deploy.local.stack import Stack
from deploy.local.valkey import Valkey, free_port
from deploy.redis.acl import ROLES, render, variable
from tasks.jobs import connect
from tasks.jobs.environment import Secret, SettingError
from tasks.jobs.keys import Keys
from tasks.jobs.settings import EngineSettings
from tests.support.client import Client
from tests.support.tls import certificate, tls_proxy

AGENTS = "tasks.agents,tests.support.agents"
PASSWORDS = {variable(role): f"{role}-password-0123456789" for role in ROLES}


def url_of(role: str, port: int, scheme: str = "redis") -> str:
    return f"{scheme}://{role}:{PASSWORDS[variable(role)]}@127.0.0.1:{port}/0"


def load_users(server: Valkey) -> None:
    """As the server would from its file; but the tests keep the default user for themselves."""
    with redis.Redis.from_url(server.url) as client:
        for line in render(PASSWORDS).splitlines():
            name, *rules = line.split()[1:]
            if name != "default":
                client.execute_command("ACL", "SETUSER", name, *rules)


class RolesStack(Stack):
    """Each process connects as its own role, over TLS."""

    tls_port = 0
    ca = ""

    def spawn(self, name: str, as_name: str = "", **settings: str) -> subprocess.Popen[bytes]:
        assert isinstance(self.valkey, Valkey)
        load_users(self.valkey)
        own = url_of("web" if name == "web" else "worker", self.tls_port, "rediss")
        return super().spawn(name, as_name, REDIS_URL=own, REDIS_CA_FILE=self.ca, **settings)


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RolesStack]:
    directory = tmp_path_factory.mktemp("roles")
    chain, key = certificate(directory / "tls")
    port = free_port()
    settings = {
        "AGENTS": "tasks.agents,tests.support.agents",
        "WEB_CONCURRENCY": "1",
        "IO_CONCURRENCY": "20",
        "SYNC_BUDGET_SECONDS": "20",
    }
    stack = RolesStack(directory, settings, valkey_port=port)
    with tls_proxy(port, chain, key) as stack.tls_port:
        stack.ca = str(chain)
        with stack:
            yield stack


def test_each_role_can_do_its_work(roles: RolesStack) -> None:
    client = Client(roles)
    assert client.get("/readyz").status_code == 200
    assert client.post("/v1/agents/echo/run", json={"text": "hello"}).json()["result"] == "hello"
    assert client.post("/v1/agents/echo_cpu/run", json={"text": "hello"}).json()["result"] == "hello"
    pdf = client.post("/ai_service_binary", json={"param1": "A short text. It has two sentences."})
    assert pdf.content.startswith(b"%PDF")
    assert client.get(pdf.headers["Content-Location"]).status_code == 200
    flaky = client.submit("fail", how="flaky")
    assert client.wait_for(flaky)["status"] == "completed"
    for name in roles.processes:
        log = roles.log_path(name).read_text()
        assert "NOPERM" not in log, log
        assert "Traceback" not in log, log
        assert "password-0123456789" not in log


def test_keys_are_made_and_used_by_the_role_of_the_web_server(roles: RolesStack) -> None:
    web = url_of("web", roles.tls_port, "rediss")
    environ = roles.environment | {"REDIS_URL": web, "REDIS_CA_FILE": roles.ca, "FLASK_APP": "webapp.wsgi"}
    made = subprocess.run(
        [sys.executable, "-m", "flask", "keys", "create", "--name", "me"],
        env=environ, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    answer = Client(roles).get("/v1/agents", headers={"X-API-Key": made.stdout.strip()})
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Policy"]


FORBIDDEN = {
    "web": (
        "CONFIG GET *", "FLUSHALL", "FLUSHDB", "KEYS *", "SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION LIST", "ACL LIST",
        "SHUTDOWN", "SAVE", "REPLICAOF NO ONE", "MODULE LIST", "CLIENT LIST", "MONITOR", "INFO",
        "GET other", "SET other 1", "GET slipwayX", "PUBLISH other x", "MIGRATE h 1 k 0 1", "BLPOP slipway:queue:io 1",
        "EVAL return(redis.call('get','other')) 0", "EVAL return(redis.call('flushall')) 0",
    ),
    "worker": (
        "CONFIG GET *", "FLUSHALL", "KEYS *", "SCRIPT FLUSH", "FUNCTION LIST", "ACL LIST", "SHUTDOWN", "SAVE", "INFO",
        "GET other", "HGETALL slipway:api-key:1", "SMEMBERS slipway:api-keys", "SET slipway:limits:x 1",
        "EVAL return(redis.call('hgetall','slipway:api-key:1')) 0",
    ),
    "probe": ("GET slipway:job:1", "CONFIG GET *", "FLUSHALL", "KEYS *", "INFO", "SUBSCRIBE slipway:channel:1"),
}  # fmt: skip


@pytest.mark.parametrize("role", sorted(FORBIDDEN))
def test_no_role_can_do_more(roles: RolesStack, role: str) -> None:
    assert isinstance(roles.valkey, Valkey)
    port = roles.valkey.port
    url = url_of(role, port) if role in ROLES else f"redis://{role}:any@127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        assert client.ping()
        for command in FORBIDDEN[role]:
            # In a script the refusal is an error of the script, whose message holds the same.
            with pytest.raises(redis.ResponseError, match=r"(?i)no permission|can't access|NOPERM|ACL failure"):
                client.execute_command(*command.split())


def test_there_is_no_default_user_and_the_server_takes_the_file(tmp_path: Path) -> None:
    (tmp_path / "users.acl").write_text(render(PASSWORDS))

    class WithFile(Valkey):
        def _options(self) -> list[str]:
            return [*super()._options(), "--aclfile", str(tmp_path / "users.acl")]

    server = WithFile(tmp_path / "valkey", free_port())
    with pytest.raises(Exception, match="Valkey did not start") as refused:
        server.start()  # which asks the server for its process as the default user, and is refused
    assert "AUTH" not in str(refused.value)
    server.kill()


def test_passwords_are_written_as_hashes_and_must_be_long() -> None:
    assert not any(password in render(PASSWORDS) for password in PASSWORDS.values())
    with pytest.raises(SettingError, match="WEB_REDIS_PASSWORD"):
        render(PASSWORDS | {"WEB_REDIS_PASSWORD": "short"})


def test_another_namespace_is_another_pattern() -> None:
    assert "~slipway:" not in render(PASSWORDS, "mine")
    assert "~mine:job:*" in render(PASSWORDS, "mine")


def test_every_name_of_the_workers_keys_is_in_its_patterns() -> None:
    import fnmatch

    worker = next(line for line in render(PASSWORDS).splitlines() if line.startswith("user worker"))
    patterns = [rule[1:] for rule in worker.split() if rule.startswith("~")]
    keys = Keys()
    for name in (
        *keys.transition("a-job", "io"),
        keys.removals,
        keys.keeper,
        keys.workers("io"),
        keys.health("io@host/1"),
        keys.jobs_of("a"),
    ):
        allowed = any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
        assert allowed or name == keys.channel("a-job") or f"{name}x".startswith(keys.owners), name


def test_a_server_with_another_certificate_is_not_spoken_to(valkey: Valkey, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path / "real")
    other, _ = certificate(tmp_path / "other")
    elsewhere, elsewhere_key = certificate(tmp_path / "elsewhere", "127.0.0.9")
    with tls_proxy(valkey.port, chain, key) as port, tls_proxy(valkey.port, elsewhere, elsewhere_key) as wrong_host:
        for ca, at, welcome in (
            (chain, port, True),
            (other, port, False),
            ("", port, False),
            (elsewhere, wrong_host, False),
        ):
            settings = EngineSettings(redis_url=Secret(f"rediss://127.0.0.1:{at}/0"), redis_ca_file=str(ca))
            client = connect(settings)
            if welcome:
                assert client.ping()
            else:
                with pytest.raises(redis.ConnectionError, match="certificate verify failed"):
                    client.ping()
            client.connection_pool.disconnect()
