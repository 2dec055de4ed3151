"""What the service says about itself, to anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import url_for
from redis.exceptions import RedisError

from tasks.jobs import logs
from webapp.api.blueprint import Blueprint
from webapp.http.problem import Problem
from webapp.schemas.system import HEALTH, HELLO, HealthSchema, HelloSchema, ProbeSchema
from webapp.services import services

log = logs.get_logger(__name__)

system = Blueprint("system", __name__, "Who is there, and how it is.")


@system.route("/")
@system.response(200, HelloSchema, example=HELLO)
@system.operation("hello")
def hello() -> dict[str, Any]:
    """Say hello, and where to go from here."""
    settings = services().settings
    links = {
        "documentation": url_for("docs.page"),
        "openapi": url_for("docs.openapi_document"),
        "health": url_for("system.health"),
        "agents": url_for("agents.list_agents"),
    }
    return {"message": "Hello World!", "name": settings.api_title, "version": settings.api_version, "links": links}


@system.route("/health")
@system.response(200, HealthSchema, example=HEALTH)
@system.operation("health")
def health() -> dict[str, Any]:
    """Tell that the service is healthy, and the time."""
    return {"status": "healthy", "timestamp": datetime.now(UTC), "active_conversations": _count_conversations()}


@system.route("/livez")
@system.response(200, ProbeSchema, example={"status": "alive"})
@system.operation("livez")
def livez() -> dict[str, str]:
    """Tell that the process answers; whatever else is down, a restart would not help."""
    return {"status": "alive"}


@system.route("/readyz")
@system.response(200, ProbeSchema, example={"status": "ready"})
@system.operation("readyz", errors=(503,))
def readyz() -> dict[str, str]:
    """Tell whether jobs can be taken: the process stays, Redis answers and files can be stored."""
    check_ready()
    return {"status": "ready"}


def check_ready() -> None:
    """Raise what keeps jobs from being taken."""
    if services().hub.draining:
        raise Problem(503, "draining", "This process is about to stop.", headers={"Retry-After": "1"})
    services().engine.ping()
    try:
        services().engine.artifacts.check()
    except OSError as error:
        raise Problem(503, "unavailable", "Files cannot be stored.", headers={"Retry-After": "5"}) from error


def _count_conversations() -> int | None:
    try:
        return services().engine.conversations.count()
    except RedisError as error:
        # This process is healthy without Redis; `/readyz` tells whether it can work.
        log.warning("health.uncounted", error=error)
        return None
