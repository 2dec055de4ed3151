"""The documentation is served from here, whole, and verifiably somebody else's where it is."""

from __future__ import annotations

import gzip
import hashlib
import re

import pytest
from flask.testing import FlaskClient

# SHA-256 of the files of swagger-ui-dist 5.35.0 as npm distributes it.
VENDORED = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}


def test_everything_that_the_page_loads_is_served_here(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert page.mimetype == "text/html"
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    local = [url for url in loaded if not url.startswith("data:")]
    assert len(local) >= 4
    for url in local:
        assert "//" not in url
        assert client.get(f"/{url}").status_code == 200


@pytest.mark.parametrize(("name", "digest"), VENDORED.items())
def test_the_vendored_files_are_the_distributed_ones(client: FlaskClient, name: str, digest: str) -> None:
    answer = client.get(f"/docs/assets/{name}")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert hashlib.sha256(gzip.decompress(answer.data)).hexdigest() == digest


def test_the_assets_have_their_types(client: FlaskClient) -> None:
    assert client.get("/docs/assets/swagger-ui-bundle.js").mimetype == "text/javascript"
    assert client.get("/docs/assets/swagger-ui.css").mimetype == "text/css"


@pytest.mark.parametrize(
    "name", ["page.html", "swagger-ui.LICENSE", "swagger-ui.css.gz", "..%2f..%2fsettings.py", "../docs/page.js", "x"]
)
def test_no_other_file_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/assets/{name}").status_code == 404


def test_the_page_may_load_and_call_this_server_only(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "http" not in policy


def test_a_client_that_has_the_document_is_told_so(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    second = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 304
    assert second.data == b""
