"""Whom a caller may speak for."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, request

from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from webapp.factory import create_app
from webapp.settings import WebSettings

SENT = {"X-Forwarded-For": "6.6.6.6, 7.7.7.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [(0, ["127.0.0.1", "http", "localhost"]), (1, ["7.7.7.7", "https", "localhost"])],
)
def test_forwarding_headers_are_believed_only_of_proxies(tmp_path: Path, proxies: int, expected: list[str]) -> None:
    app: Flask = create_app(
        WebSettings(api_key=Secret("key"), proxies=proxies), EngineSettings(artifacts_dir=tmp_path), catalogue={}
    )
    seen: list[str] = []
    app.before_request(lambda: seen.extend((request.remote_addr or "", request.scheme, request.host)))
    app.test_client().get("/livez", headers=SENT)
    assert seen == expected
