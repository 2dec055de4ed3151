"""What the views work with, built once per application and handed to nobody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app
from limits import RateLimitItem

from tasks.jobs import Engine, artifact_store, connect
from tasks.jobs.files import Files
from tasks.jobs.health import Health
from tasks.jobs.models import Models
from tasks.jobs.settings import EngineSettings
from tasks.pipelines.management import Management
from tasks.pipelines.readiness import Readiness
from tasks.pipelines.registry import Registry
from tasks.sdk import Agent
from webapp.auth import limiter
from webapp.auth.budget import Budgets
from webapp.auth.keys import KeyStore
from webapp.auth.limiter import Limiter
from webapp.auth.principals import STATIC
from webapp.auth.quotas import Quotas, rate
from webapp.auth.streams import Streams
from webapp.auth.tickets import Tickets
from webapp.auth.verifier import Verifier
from webapp.events.hub import EventHub
from webapp.events.replies import Replies
from webapp.http.websocket import OpenSockets
from webapp.settings import WebSettings

if TYPE_CHECKING:
    from webapp.auth.oidc import Tokens

EXTENSION = "slipway"


@dataclass(frozen=True)
class Services:
    """One object a concern. Nothing here connects anywhere before it is first used."""

    settings: WebSettings
    engine: Engine
    hub: EventHub
    replies: Replies
    keys: KeyStore
    verifier: Verifier
    tokens: Tokens | None
    limiter: Limiter
    quotas: Quotas
    address_limit: RateLimitItem | None
    failure_limit: RateLimitItem | None
    streams: Streams
    budgets: Budgets
    catalogue: Mapping[str, Agent]
    files: Files
    models: Models
    health: Health
    tickets: Tickets
    sockets: OpenSockets
    registry: Registry
    readiness: Readiness
    management: Management


def build(settings: WebSettings, engine_settings: EngineSettings, catalogue: Mapping[str, Agent]) -> Services:
    """Put the pieces together."""
    engine = Engine(connect(engine_settings), engine_settings, artifact_store(engine_settings))
    registry = Registry(engine.redis, engine_settings)
    hub = EventHub(engine, heartbeat=settings.heartbeat)
    keys = KeyStore(engine.redis, engine.keys, settings.api_key_prefix)
    return Services(
        settings=settings,
        engine=engine,
        hub=hub,
        replies=Replies.of(hub),
        keys=keys,
        verifier=Verifier(
            keys, settings.api_key, static=dataclasses.replace(STATIC, scopes=frozenset(settings.api_key_scopes))
        ),
        tokens=_tokens(settings),
        limiter=Limiter(limiter.shared_storage(engine_settings)),
        quotas=Quotas.read(settings.rate_limits),
        address_limit=rate(settings.address_limit),
        failure_limit=rate(settings.failure_limit),
        streams=Streams(engine.redis, engine.keys, settings.max_streams),
        budgets=Budgets(engine, settings.token_budgets),
        catalogue=catalogue,
        files=Files(engine, settings.file_retention, settings.max_files),
        models=Models(engine.redis, engine_settings),
        health=Health(engine.redis, engine_settings),
        tickets=Tickets(engine.redis, engine.keys),
        sockets=OpenSockets(),
        registry=registry,
        readiness=Readiness(engine.redis, engine_settings),
        management=Management(engine, registry),
    )


def _tokens(settings: WebSettings) -> Tokens | None:
    """The verifier of the issuer's tokens; its library is loaded only where there is an issuer."""
    if not settings.oidc_issuer:
        return None
    from webapp.auth.oidc import tokens_of  # noqa: PLC0415

    return tokens_of(settings)


def services_of(app: Flask) -> Services:
    """The services of `app`."""
    return cast(Services, app.extensions[EXTENSION])


def services() -> Services:
    """The services of the application that answers this request."""
    return services_of(current_app)
