"""The settings of the web side alone; what it shares with the workers is in `tasks.jobs.settings`."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

from tasks.jobs.environment import Secret, SettingError, setting
from webapp.auth.settings import AccessSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class WebSettings(AccessSettings):
    """How this service names itself, whom it lets in, and its limits (bytes, seconds)."""

    api_key: Secret = setting(
        "API_KEY",
        "A key that is valid beside those made with `flask keys create`.",
        default=Secret(""),
        aliases=("BEARER_TOKEN",),
    )
    api_key_prefix: str = setting(
        "API_KEY_PREFIX", "First part of every key made here, so that leaked keys are recognised.", default="slipway"
    )
    public_base_url: str = setting(
        "PUBLIC_BASE_URL",
        "Where clients reach this service; the `servers` entry of the OpenAPI document.",
        default="http://127.0.0.1:8000",
    )
    cors_origins: tuple[str, ...] = setting(
        "CORS_ORIGINS", "Origins whose pages may call this service, comma-separated; none by default.", default=()
    )
    sync_budget: float = setting(
        "SYNC_BUDGET_SECONDS", "How long a request waits for its job before it answers without it.", default=60.0
    )
    removal_grace: float = setting(
        "REMOVAL_GRACE_SECONDS",
        "How long a file stays after it was delivered whole; 0 removes it at once.",
        default=60.0,
    )
    heartbeat: float = setting(
        "HEARTBEAT_SECONDS", "How often a silent stream says that it is alive and re-reads its log.", default=15.0
    )
    ws_ping: float = setting(
        "WS_PING_SECONDS", "How often a WebSocket is asked whether somebody is there.", default=25.0
    )
    ws_message: int = setting(
        "WS_MESSAGE_CHARACTERS",
        "The longest message that a WebSocket takes.",
        default=128 * 1024,  # a message and a system prompt of the greatest length, and what JSON puts around them
    )
    proxies: int = setting(
        "PROXIES",
        "How many proxies of yours every request comes through; their `X-Forwarded-For` and `-Proto` are believed.",
        default=0,
    )
    max_body: int = setting("MAX_BODY_BYTES", "The largest request body that is read.", default=1024 * 1024)
    max_file: int = setting(
        "MAX_FILE_BYTES", "The largest body of an upload to `/v1/files`, in place of it.", default=64 * 1024 * 1024
    )
    max_files: int = setting("MAX_FILES", "Most uploaded files of one principal; 0 is no limit.", default=100)
    file_retention: float = setting(
        "FILE_RETENTION_SECONDS",
        "How long an uploaded file is kept, from the last job on that takes it.",
        default=86_400.0,  # as long as the jobs that are made of it
    )
    max_inference_body: int = setting(
        "MAX_INFERENCE_BYTES",
        "The largest body of an inference.",
        default=64 * 1024 * 1024,  # 25,000 rows of 50 numbers with all their digits are 25 MB of JSON
    )
    max_model_body: int = setting("MAX_MODEL_BYTES", "The largest upload of a model.", default=512 * 1024 * 1024)
    serve_openai: bool = setting(
        "SERVE_OPENAI", "Whether OpenAI's clients are served: `/v1/chat/completions` and `/v1/models`.", default=True
    )
    external_inference: bool = setting(
        "EXTERNAL_INFERENCE",
        "Whether pipelines are reached from outside, at `PUBLIC_BASE_URL`; `make run` switches it on.",
        default=False,
    )
    internal_port: int = setting(
        "INTERNAL_PORT",
        "A second port, which takes inferences without a token: for a network that you trust. 0: there is none.",
        default=0,
    )
    internal_base_url: str = setting(
        "INTERNAL_BASE_URL", "Where the internal port is reached, as `http://web.slipway:29502`.", default=""
    )
    api_title: str = setting("API_TITLE", "Name of the service in its OpenAPI document.", default="Slipway")
    api_summary: str = setting(
        "API_SUMMARY", "One sentence about the service.", default="AI functions as an HTTP service."
    )
    api_description: str = setting(
        "API_DESCRIPTION",
        "What the service does, in Markdown.",
        default="Every call is a job: wait for its answer, or take its id and come back for the result.",
    )
    api_version: str = setting("API_VERSION", "Version of the API in its OpenAPI document.", default="0.1.0")
    api_license: str = setting(
        "API_LICENSE", "Licence of the API in its OpenAPI document, as SPDX names it.", default="MIT"
    )
    playground: bool = setting(
        "PLAYGROUND", "Whether `/playground` is served, a page to try the agents; `make run` serves it.", default=False
    )
    log_level: str = setting(
        "LOG_LEVEL", "The least level that is logged: DEBUG, INFO, WARNING or ERROR.", default="INFO"
    )
    log_json: bool = setting("LOG_JSON", "Log one JSON object a line; false writes for people.", default=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = urlsplit(self.public_base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingError(f"PUBLIC_BASE_URL must be an absolute http(s) URL, but is {self.public_base_url!r}")
        if "*" in self.cors_origins:
            # A wildcard would let any page spend the key that a user typed into it.
            raise SettingError("CORS_ORIGINS must name its origins; `*` is not one")
        if not self.api_key_prefix.isalnum():
            # The key is split at its underscores.
            raise SettingError("API_KEY_PREFIX must consist of letters and digits")
