"""An OpenID Connect provider as Keycloak is one, in a process of its own: passwords, refresh tokens, rotated keys.

`python -m tests.support.identity_provider` prints its issuer's URL and serves until its standard input ends.
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import requests

from tests.support.issuer import Issuer

REALM = "/auth/realms/master"
CONNECT = f"{REALM}/protocol/openid-connect"
ROTATE = "/rotate"

CLIENT, SECRET = "api-client", "its secret"
USER, PASSWORD = "jane", "her password"
MINUTES = 60
SCOPE = "openid pipelines:infer"


class Provider(Issuer):
    """What a realm knows. Its tokens have the type that Keycloak gives them."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin + REALM)
        del self.keys["ec-1"]
        self.signing = "rsa-1"
        self.refreshing: set[str] = set()

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one goes away at once."""
        old, self.signing = self.signing, f"rsa-{secrets.token_hex(4)}"
        self.add(self.signing, "RS256")
        del self.keys[old]

    def granted(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Tokens for a password or a refresh token, None for anything else. A refresh token is good for once."""
        password = (form.get("grant_type"), form.get("username"), form.get("password"))
        refreshes = form.get("grant_type") == "refresh_token" and form.get("refresh_token") in self.refreshing
        if password != ("password", USER, PASSWORD) and not refreshes:
            return None
        self.refreshing.discard(form.get("refresh_token", ""))
        fresh = secrets.token_urlsafe()
        self.refreshing.add(fresh)
        access = self.token(self.signing, "RS256", {"typ": "JWT"}, sub=USER, scope=SCOPE, typ="Bearer")
        return {"access_token": access, "expires_in": MINUTES * 60, "refresh_token": fresh, "token_type": "Bearer"}


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        known: dict[str, Any] = {
            f"{REALM}/.well-known/openid-configuration": {
                "issuer": self.provider.url,
                "jwks_uri": f"{self.provider.url}/protocol/openid-connect/certs",
                "token_endpoint": f"{self.provider.url}/protocol/openid-connect/token",
            },
            f"{CONNECT}/certs": {"keys": [key.as_dict(private=False) for key in self.provider.keys.values()]},
        }
        self.answer(200, known[self.path]) if self.path in known else self.answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == ROTATE:
            self.provider.rotate()
            return self.answer(200, {})
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.path != f"{CONNECT}/token" or self.headers.get("Authorization") != basic:
            return self.answer(401, {"error": "unauthorized_client"})
        granted = self.provider.granted({name: values[0] for name, values in parse_qs(body).items()})
        return self.answer(200, granted) if granted else self.answer(401, {"error": "invalid_grant"})

    def answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Running:
    """The provider, from outside."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.token_url = f"{issuer}/protocol/openid-connect/token"

    def ask(self, **form: str) -> Any:
        return requests.post(self.token_url, data=form, auth=(CLIENT, SECRET), timeout=10)

    def log_in(self) -> dict[str, Any]:
        answer = self.ask(grant_type="password", username=USER, password=PASSWORD)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rotate(self) -> None:
        assert requests.post(self.issuer.removesuffix(REALM) + ROTATE, timeout=10).ok


@contextmanager
def identity_provider() -> Iterator[Running]:
    """The provider in a process of its own, while the block runs."""
    command = [sys.executable, "-m", "tests.support.identity_provider"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Running(process.stdout.readline().strip())
        process.stdin.close()  # its sign to end


def serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.provider = Provider(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(Handler.provider.url, flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    serve()
