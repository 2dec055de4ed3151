"""What the service says about itself."""

from __future__ import annotations

from datetime import UTC, datetime

from flask.testing import FlaskClient


def test_the_root_says_hello_and_its_links_lead_somewhere(client: FlaskClient, key: dict[str, str]) -> None:
    hello = client.get("/").get_json()
    assert hello["message"] == "Hello World!"
    assert hello["name"] == "Slipway"
    for url in hello["links"].values():
        assert client.get(url, headers=key).status_code == 200


def test_health_tells_the_time_in_utc(client: FlaskClient) -> None:
    health = client.get("/health").get_json()
    assert health["status"] == "healthy"
    assert health["active_conversations"] == 3
    assert abs((datetime.now(UTC) - datetime.fromisoformat(health["timestamp"])).total_seconds()) < 60


def test_the_process_is_alive_whatever_else_is_not(client: FlaskClient) -> None:
    assert client.get("/livez").status_code == 200
