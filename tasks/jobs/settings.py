"""The settings that the web side and the workers must agree on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from tasks.jobs.environment import Secret, SettingError, setting

POOLS = ("gevent", "prefork")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """Where jobs live, which queues there are, and the clocks of the engine (all in seconds)."""

    redis_url: Secret = setting(
        "REDIS_URL", "URL of the Redis or Valkey that is broker and state.", default=Secret("redis://127.0.0.1:6390/0")
    )
    redis_ca_file: str = setting(
        "REDIS_CA_FILE",
        "The certificates that a `rediss://` server is known by; empty: those of the system.",
        default="",
    )
    namespace: str = setting(
        "NAMESPACE", "Prefix of every key, so that two projects can share a server.", default="slipway"
    )
    artifacts_dir: Path = setting("ARTIFACTS_DIR", "Folder of the local artifact store.", default=Path("var/artifacts"))
    artifacts_url: str = setting(
        "ARTIFACTS_URL",
        "`s3://bucket/prefix` keeps artifacts in a bucket instead of a folder (docs/operations.md).",
        default="",
    )
    queues: Mapping[str, str] = setting(
        "QUEUES",
        "The queues and the pool of each, as `name:pool,…`; a pool is `gevent` or `prefork`.",
        default=MappingProxyType({"io": "gevent", "cpu": "prefork"}),
    )
    agents: tuple[str, ...] = setting(
        "AGENTS", "The packages whose modules are searched for agents.", default=("tasks.agents",)
    )
    inline_limit: int = setting(
        "INLINE_LIMIT",
        "Bytes of an input or a result that stay in Redis; more goes to the artifact store.",
        default=256 * 1024,
    )
    max_queue: int = setting("MAX_QUEUE", "Most jobs that wait in one queue; 0 is no limit.", default=10_000)
    max_waiting: int = setting("MAX_WAITING", "Most jobs of one principal that wait; 0 is no limit.", default=1_000)
    max_running: int = setting("MAX_RUNNING", "Most jobs of one principal that run; 0 is no limit.", default=500)
    max_events: int = setting(
        "MAX_EVENTS",
        "Most events of one attempt at a job; from half of it on, tokens and progress are written once a second.",
        default=10_000,
    )
    serve_pipelines: bool = setting(
        "SERVE_PIPELINES", "Whether deployed models are served; without it neither side loads their part.", default=True
    )
    webhook_secret: Secret = setting(
        "WEBHOOK_SECRET",
        "What the signing secrets of webhooks are made from, a long random text; without it there are no webhooks.",
        default=Secret(""),
    )
    webhook_allow: tuple[str, ...] = setting(
        "WEBHOOK_ALLOW", "Hosts that webhooks may call although they are private, by http too.", default=()
    )
    webhook_ca_file: str = setting(
        "WEBHOOK_CA_FILE",
        "Certificates that receivers of webhooks are known by, beside those of the system.",
        default="",
    )
    retention: float = setting(
        "RETENTION_SECONDS", "How long an ended job, its events and its artifacts are kept.", default=86_400.0
    )
    dead_retention: float = setting(
        "DEAD_RETENTION_SECONDS",
        "How long a job that was given up is kept for inspection (`flask jobs dead`).",
        default=604_800.0,  # a week: somebody is back from a weekend by then
    )
    conversation_retention: float = setting(
        "CONVERSATION_RETENTION_SECONDS",
        "How long a conversation is kept after its last message.",
        default=30 * 86_400.0,
    )
    conversation_bytes: int = setting(
        "CONVERSATION_BYTES",
        "The largest conversation (its text, and 200 bytes a message); a longer one has to be begun anew.",
        default=1024 * 1024,
    )
    lease: float = setting("LEASE_SECONDS", "How long a silent worker keeps a job before it is lost.", default=10.0)
    max_losses: int = setting("MAX_LOSSES", "How often a job may lose its worker before it is given up.", default=3)
    resend_after: float = setting(
        "RESEND_SECONDS", "How long a job waits unseen before its message is sent again.", default=15.0
    )
    keeper_interval: float = setting("KEEPER_SECONDS", "How often the keeper looks for lost work.", default=2.0)

    def __post_init__(self) -> None:
        wrong = {name: pool for name, pool in self.queues.items() if pool not in POOLS}
        if wrong:
            raise SettingError(f"QUEUES names a pool that does not exist: {wrong}; use one of {', '.join(POOLS)}")
        url = urlsplit(self.artifacts_url)
        if self.artifacts_url and (url.scheme != "s3" or not url.netloc or url.query or url.fragment):
            raise SettingError(
                f"ARTIFACTS_URL must be s3://bucket or s3://bucket/prefix, but is {self.artifacts_url!r}"
            )
