"""nginx with the project's configuration, in front of whatever a test puts behind it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import requests

from deploy.local.processes import ROOT, spawn, tail
from deploy.local.valkey import free_port
from tests.support.programs import find_program

START = ROOT / "deploy" / "nginx" / "start.sh"
PATIENCE = 60.0  # seconds for nginx to start or stop; it takes milliseconds


class Edge:
    """One nginx. `settings` are variables of start.sh."""

    def __init__(self, directory: Path, *upstreams: int, **settings: str) -> None:
        find_program("nginx")
        self.directory = directory
        self.port = free_port()
        self.plain_port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificate = directory / "tls.crt"
        self.log = directory / "nginx.log"
        servers = "".join(f"server 127.0.0.1:{each} max_fails=0;" for each in upstreams)
        # Started by root, nginx works as nobody, and may not enter the folders of pytest.
        self.run_directory = Path(tempfile.mkdtemp(prefix="slipway-nginx-"))
        self.run_directory.chmod(0o755)
        self._settings = {
            "RUN_DIR": str(self.run_directory),
            "HTTP_PORT": f"127.0.0.1:{self.plain_port}",
            "HTTPS_PORT": f"127.0.0.1:{self.port}",
            "PUBLIC_PORT": f":{self.port}",
            "CERTIFICATE": str(self.certificate),
            "CERTIFICATE_KEY": str(directory / "tls.key"),
            "UPSTREAM": servers,
            **settings,
        }

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **self._settings}

    def __enter__(self) -> Edge:
        self.directory.mkdir(parents=True, exist_ok=True)
        make_certificate(self.directory)
        with self.log.open("ab") as out:
            self._process = spawn([str(START)], stdout=out, env=self.environment)
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            assert self._process.poll() is None, tail(self.log)
            assert time.monotonic() < deadline, tail(self.log)
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        shutil.rmtree(self.run_directory)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def session(self, key: str = "") -> requests.Session:
        """A client that trusts this nginx's certificate."""
        session = requests.Session()
        session.trust_env = False  # a bundle named there would win over `verify`
        session.verify = str(self.certificate)
        session.headers["X-API-Key"] = key
        return session

    def connect(self, timeout: float = 30) -> ssl.SSLSocket:
        """A bare connection, for what no HTTP client would do."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        sock = socket.create_connection(("127.0.0.1", self.port), timeout)
        return context.wrap_socket(sock, server_hostname="localhost")

    def lines(self) -> list[dict[str, Any]]:
        """The access log."""
        return [orjson.loads(line) for line in self.log.read_bytes().splitlines() if line.startswith(b"{")]

    def line(self, request_id: str) -> dict[str, Any]:
        """The log's line of one request; it is written when the answer is over."""
        deadline = time.monotonic() + PATIENCE
        while not (found := [each for each in self.lines() if each["request_id"] == request_id]):
            assert time.monotonic() < deadline, f"nginx logged nothing about {request_id}"
            time.sleep(0.02)
        return found[0]

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.plain_port), 1).close()
        except OSError:
            return False
        return True


def make_certificate(directory: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> None:
    """Make a certificate that signs itself, `tls.crt` with its key `tls.key`."""
    command = [
        find_program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", "/CN=localhost", "-addext", f"subjectAltName={names}",
        "-keyout", str(directory / "tls.key"), "-out", str(directory / "tls.crt"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
