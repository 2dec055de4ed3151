"""Sold on a marketplace: it imports the document, and calls with the builder's key on behalf of its subscribers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deploy.local.stack import Stack
from tests.integration.conftest import AGENTS
from tests.support.marketplace import ImportRefused, Marketplace

TEXT = "Ships are launched from a ramp. A ramp is a slope into the water. Launching a ship takes a day."
ONE, TWO = {"Authorization": "Bearer token-of-one"}, {"Authorization": "Bearer token-of-two"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A service behind a tunnel, whose other end is `https://agent.example`."""
    settings = {"AGENTS": AGENTS, "WEB_CONCURRENCY": "1", "PUBLIC_BASE_URL": "https://agent.example"}
    with Stack(tmp_path_factory.mktemp("sold"), settings) as stack:
        yield stack


@pytest.fixture
def market(service: Stack) -> Marketplace:
    market = Marketplace(service.api_key, {"token-of-one": "0xOne", "token-of-two": "0xTwo"})
    market.imports(f"{service.url}/openapi.json", service.url)
    return market


@pytest.fixture
def shop(market: Marketplace) -> Iterator[str]:
    with market.proxying() as address:
        yield address


def test_without_a_public_address_it_is_not_imported(stack: Stack) -> None:
    with pytest.raises(ImportRefused, match="PUBLIC_BASE_URL"):
        Marketplace("", {}).imports(f"{stack.url}/openapi.json", stack.url)


@pytest.mark.parametrize("path", ["/ai_service", "/ai-service"])
def test_subscribers_call_both_forms_with_both_methods(shop: str, market: Marketplace, path: str) -> None:
    asked = {"param1": TEXT, "param2": "Where from?"}
    got = requests.get(shop + path, params=asked, headers=ONE, timeout=60)
    posted = requests.post(shop + path, json=asked, headers=ONE, timeout=60)
    assert "ramp" in got.json()["result"]
    assert got.json() == posted.json()
    assert market.charged == {"0xOne": 2}


@pytest.mark.parametrize("path", ["/ai_service_binary", "/ai-service-binary"])
def test_a_pdf_comes_through(shop: str, path: str) -> None:
    answer = requests.post(shop + path, json={"param1": TEXT}, headers=ONE, timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"], answer.content[:5]) == (
        200,
        "application/pdf",
        b"%PDF-",
    )


def test_what_was_done_is_charged_as_the_agent_says_and_what_was_not_is_not(shop: str, market: Marketplace) -> None:
    run = f"{shop}/v1/agents/priced/run"
    assert requests.post(run, json={"text": "x"}, headers=ONE, timeout=60).json()["result"] == "x"
    assert requests.post(run, json={}, headers=TWO, timeout=60).status_code == 422
    assert requests.post(run, json={"text": "x"}, timeout=60).status_code == 403
    assert market.charged == {"0xOne": 2}


def test_subscribers_do_not_see_each_other(shop: str, service: Stack) -> None:
    job = requests.post(f"{shop}/ai_service", json={"param1": TEXT}, headers=ONE, timeout=60).headers["X-Job-ID"]
    builder = {"Authorization": f"Bearer {service.api_key}"}
    seen = {
        user: requests.get(f"{service.url}/v1/jobs/{job}", headers=builder | {"NVM-User-id": user}, timeout=60)
        for user in ("0xOne", "0xTwo")
    }
    assert [answer.status_code for answer in seen.values()] == [200, 404]


def test_nobody_else_is_believed_about_who_they_are(service: Stack, tmp_path: Path) -> None:
    forged = {"Authorization": "Bearer wrong", "NVM-User-id": "0xOne"}
    assert requests.get(f"{service.url}/v1/jobs", headers=forged, timeout=60).status_code == 401
