"""A marketplace as a builder meets it: it imports a document, then stands between subscribers and the service.

What it does is what Nevermined's importer and proxy do: the subscriber's `Authorization` is replaced by the builder's
one bearer, the subscriber is named in headers, and a successful answer is charged by what it says.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests

METHODS = ("get", "post", "put", "patch", "delete")
CREDITS = "NVMCreditsConsumed"
KEPT = ("Content-Type", "Content-Disposition", "X-Job-ID", CREDITS)


class ImportRefused(ValueError):
    """The document cannot be imported. The message says what is missing."""


class Marketplace:
    """Imports one service and proxies to it. `subscribers` are their tokens, by which their names are known."""

    def __init__(self, bearer: str, subscribers: dict[str, str]) -> None:
        self.bearer = bearer
        self.subscribers = subscribers
        self.charged: Counter[str] = Counter()
        self.paths: set[str] = set()
        self.address = ""
        self._upstream = ""

    def imports(self, url: str, upstream: str) -> dict[str, Any]:
        """Read the document at `url` as the importer does. Calls go to `upstream`, where the tunnel ends."""
        answer = requests.get(url, headers={"Origin": "https://marketplace.example"}, timeout=30)
        if answer.status_code != 200 or answer.headers.get("Access-Control-Allow-Origin") != "*":
            raise ImportRefused("the document is not public for other origins")
        document: dict[str, Any] = answer.json()
        _check(document)
        self.paths = set(document["paths"])
        self._upstream = upstream
        return document

    @contextmanager
    def proxying(self) -> Iterator[str]:
        """Serve subscribers. Gives the address that they call."""
        market = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                market._forward(self)

            def do_POST(self) -> None:
                market._forward(self)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _forward(self, asked: BaseHTTPRequestHandler) -> None:
        user = self.subscribers.get(asked.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None or urlsplit(asked.path).path not in self.paths:
            asked.send_error(403)
            return
        headers = {
            "Authorization": f"Bearer {self.bearer}",
            "NVM-User-id": user,
            "NVM-Scope": "call",
            "NVM-Owner": "builder",
            "Content-Type": asked.headers.get("Content-Type", ""),
        }
        body = asked.rfile.read(int(asked.headers.get("Content-Length", 0)))
        answer = requests.request(asked.command, self._upstream + asked.path, headers=headers, data=body, timeout=60)
        if answer.ok:
            self.charged[user] += int(answer.headers.get(CREDITS, 1))  # a builder who says nothing gets the plan's one
        asked.send_response(answer.status_code)
        for name in KEPT:
            if name in answer.headers:
                asked.send_header(name, answer.headers[name])
        asked.send_header("Content-Length", str(len(answer.content)))
        asked.end_headers()
        asked.wfile.write(answer.content)


def _check(document: dict[str, Any]) -> None:
    if not document["openapi"].startswith("3.0"):
        raise ImportRefused("not a version that the importer reads")
    if urlsplit(document["servers"][0]["url"]).scheme != "https":
        raise ImportRefused("servers[0].url is no absolute https URL: set PUBLIC_BASE_URL")
    schemes = document["components"]["securitySchemes"].values()
    if not any((scheme["type"], scheme.get("scheme")) == ("http", "bearer") for scheme in schemes):
        raise ImportRefused("no bearer scheme")
    for path, item in document["paths"].items():
        if path.startswith(("/v1/admin", "/metrics")):
            raise ImportRefused(f"{path} is not for callers")
        for method in METHODS:
            operation = item.get(method, {"operationId": "", "summary": "", "responses": {"": {}}})
            missing = {"operationId", "summary", "responses"} - operation.keys()
            if missing:
                raise ImportRefused(f"{method} {path} has no {', '.join(missing)}")
    json.dumps(document)
