"""The project's compose.yaml, run with podman: images built here, a network of their own, ports of this machine."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from deploy.local.processes import ROOT
from deploy.local.valkey import free_port
from tests.support.edge import make_certificate

PROJECT = "slipway-tests"
SERVICES = ("valkey", "web", "worker-io", "worker-cpu", "nginx")
PATIENCE = 90.0  # seconds for all containers on two busy cores
# Options that only this machine needs, such as a volume with its certificates.
BUILD_OPTIONS = os.environ.get("CONTAINER_BUILD_OPTIONS", "").split()
# Read by podman-compose's podman, too.
ENVIRONMENT = {"CONTAINERS_CONF": str(ROOT / "tests" / "deploy" / "containers.conf"), **os.environ}


def podman(*arguments: str, check: bool = True, timeout: float = 600) -> str:
    """Run podman and return what it says. Raises CalledProcessError."""
    done = subprocess.run(
        ["podman", *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert done.returncode == 0 or not check, f"podman {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


def build(base: str) -> None:
    """Build every image on `base`."""
    files = {f"slipway-{name}": ("deploy/docker/Dockerfile", name) for name in ("web", "worker", "nginx")}
    files["slipway-test-valkey"] = ("tests/deploy/valkey.Dockerfile", "")
    for image, (file, target) in files.items():
        wanted = ["--target", target] if target else []
        options = ["--format", "docker", "--build-arg", f"BASE={base}", "--file", file, *wanted, *BUILD_OPTIONS]
        podman("build", *options, "--tag", f"localhost/{image}:test", str(ROOT))


class Compose:
    """The service in containers. Use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        self.api_key = secrets.token_urlsafe(24)
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.directory = directory
        self.certificate = directory / "tls.crt"
        self._settings = {
            "REDIS_PASSWORD": secrets.token_hex(16),
            "API_KEY": self.api_key,
            "PUBLIC_BASE_URL": self.url,
            "HTTP_PORT": f"127.0.0.1:{free_port()}",
            "HTTPS_PORT": f"127.0.0.1:{self.port}",
            "PUBLIC_PORT": f":{self.port}",
            "TLS_DIRECTORY": str(directory),
            "VERSION": "test",
            "VALKEY_IMAGE": "localhost/slipway-test-valkey:test",
            "IO_CONCURRENCY": "50",
            "LOG_DRIVER": "k8s-file",
            "ENV_FILE": str(directory / "env"),
            "TESTS_DIRECTORY": str(ROOT / "tests"),
        }

    def __enter__(self) -> Compose:
        make_certificate(self.directory)
        (self.directory / "tls.key").chmod(0o644)
        self.directory.chmod(0o755)
        (self.directory / "env").write_text("".join(f"{name}={each}\n" for name, each in self._settings.items()))
        self.run("down", "--volumes")
        try:
            self.run("up", "--detach", "--no-build")
            self.wait_until_ready()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None or os.environ.get("CONTAINER_LOGS"):
            for each in SERVICES:
                print(f"--- {each}\n{podman('logs', '--tail', '30', self.name(each), check=False)}")
        self.run("down", "--volumes", "--timeout", "5")
        # Podman notes there that a container ran out of memory.
        (ROOT / "oom").unlink(missing_ok=True)

    def run(self, *arguments: str) -> None:
        """Run podman-compose with the project's files."""
        files = ["--file", "compose.yaml", "--file", "tests/deploy/compose.tests.yaml"]
        command = [
            str(Path(sys.executable).with_name("podman-compose")),
            "--project-name",
            PROJECT,
            *files,
            "--env-file",
            self._settings["ENV_FILE"],
        ]
        done = subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE * 2,
        )
        assert done.returncode == 0 or arguments[0] == "down", done.stderr

    def name(self, service: str) -> str:
        return f"{PROJECT}_{service}_1"

    def inspect(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(podman("inspect", self.name(service)))[0]
        return found

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # a bundle of certificates named there would win over `verify`
        session.verify = str(self.certificate)
        session.headers["X-API-Key"] = self.api_key
        return session

    def healthy(self, service: str) -> bool:
        """What the image's own health check says."""
        command = ["podman", "healthcheck", "run", self.name(service)]
        return subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False, timeout=60).returncode == 0

    def wait_until_ready(self) -> None:
        wait_for(self._answers, "the service does not get ready")
        for service in SERVICES:
            wait_for(lambda service=service: self.healthy(service), f"{service} does not get healthy")  # type: ignore[misc]

    def _answers(self) -> bool:
        try:
            with self.session() as session:
                return session.get(f"{self.url}/readyz", timeout=5).status_code == requests.codes.ok
        except requests.RequestException:
            return False


def wait_for(condition: Callable[[], bool], otherwise: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)
