"""A token issuer over real HTTP: discovery, keys that can be rotated, and every way in which it can fail."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwk, jws, jwt

AUDIENCE = "https://api.example"


class Issuer:
    """Signs tokens and publishes the keys that they are verified with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: dict[str, Any] = {}
        self.asked: list[str] = []
        self.mode = ""
        self.add("rsa-1", "RS256")
        self.add("ec-1", "ES256")

    def add(self, kid: str, algorithm: str) -> None:
        parameters: Any = {"kid": kid, "use": "sig"}
        made: Any = (
            jwk.RSAKey.generate_key(2048, parameters)
            if algorithm.startswith("RS")
            else jwk.ECKey.generate_key("P-256", parameters)
        )
        self.keys[kid] = made

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 300, "scope": "run read"}
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(
        self, kid: str = "rsa-1", algorithm: str = "", header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        algorithm = algorithm or ("RS256" if kid.startswith("rsa") else "ES256")
        head = {"alg": algorithm, "typ": "at+jwt", "kid": kid} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jwt.encode(head, self.claims(**claims), self.keys[kid], registry=registry)

    def document(self, path: str) -> bytes:
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}).encode()
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys.values()]}).encode()


@contextmanager
def issuer() -> Iterator[Issuer]:
    """An issuer on this machine, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            answer(self, running)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(handler: BaseHTTPRequestHandler, issuer: Issuer) -> None:
    body, status, headers = issuer.document(handler.path.removeprefix("/moved")), 200, {}
    if issuer.mode == "down":
        status = 500
    elif issuer.mode == "redirecting" and not handler.path.startswith("/moved"):
        status, headers = 302, {"Location": f"{issuer.url}/moved{handler.path}"}
    elif issuer.mode == "huge":
        body = b'{"keys": "' + b"x" * 10_000_000 + b'"}'
    elif issuer.mode == "silent":
        while issuer.mode == "silent":
            time.sleep(0.05)
    elif issuer.mode == "another":
        body = body.replace(b'"issuer": "http://', b'"issuer": "http://other-')
    handler.send_response(status)
    for name, value in (headers | {"Content-Length": str(len(body))}).items():
        handler.send_header(name, value)
    handler.end_headers()
    with contextlib.suppress(OSError):  # the caller has had enough
        handler.wfile.write(body)
