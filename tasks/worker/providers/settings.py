"""The settings of text generation; only workers read them."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

from tasks.jobs.environment import Secret, SettingError, setting

# What a request holds besides the messages, and may leave out for a server that refuses it.
OPTIONAL_FIELDS = ("temperature", "max_tokens", "stop", "stream_options")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """Which model server answers, and how patient we are with it (all times in seconds)."""

    base_url: Secret = setting(
        "OPENAI_BASE_URL",
        "Base URL of any OpenAI-compatible server, such as `https://api.openai.com/v1`; empty: the offline provider.",
        default=Secret(""),
    )
    api_key: Secret = setting(
        "OPENAI_API_KEY", "Key of the model server; empty when it needs none.", default=Secret("")
    )
    model: str = setting("AI_MODEL", "Name of the model; needed with `OPENAI_BASE_URL`.", default="")
    models: tuple[str, ...] = setting(
        "AI_MODELS",
        "Models that callers may choose beside `AI_MODEL`, comma-separated; `*` is every one that the server lists.",
        default=("*",),
    )
    context_tokens: int = setting(
        "AI_CONTEXT_TOKENS",
        "Tokens that the model takes in one request, its answer included; older messages of a chat are left out of it.",
        default=8192,  # what nearly every model of today takes at least
    )
    connect_timeout: float = setting(
        "PROVIDER_CONNECT_TIMEOUT_SECONDS", "How long a connection to the model server may take.", default=5.0
    )
    read_timeout: float = setting(
        "PROVIDER_TIMEOUT_SECONDS",
        "How long the model server may be silent: before its answer, and between two pieces of it.",
        default=120.0,
    )
    retries: int = setting("PROVIDER_RETRIES", "How often a request that failed in passing is sent again.", default=3)
    max_wait: float = setting(
        "PROVIDER_MAX_WAIT_SECONDS", "Longest wait before a retry, also when `Retry-After` asks for more.", default=30.0
    )
    connections: int = setting(
        "PROVIDER_CONNECTIONS",
        "Connections to the model server that a worker process keeps open when idle; more are opened when needed.",
        default=500,
    )
    max_tokens_field: str = setting(
        "PROVIDER_MAX_TOKENS_FIELD",
        "How the server calls the limit of an answer; newer OpenAI models want `max_completion_tokens`.",
        default="max_tokens",
    )
    omit: tuple[str, ...] = setting(
        "PROVIDER_OMIT",
        f"Fields that the server does not take, of {', '.join(OPTIONAL_FIELDS)}.",
        default=(),
    )

    def __post_init__(self) -> None:
        for variable, fault in self._faults():
            raise SettingError(f"{variable} {fault}")

    def _faults(self) -> list[tuple[str, str]]:
        tests = [
            ("OPENAI_BASE_URL", _not_a_url(self.base_url), "must be an address that starts with http:// or https://"),
            (
                "OPENAI_BASE_URL",
                _has_user(self.base_url) and bool(self.api_key),
                "holds a user; leave OPENAI_API_KEY out",
            ),
            ("OPENAI_API_KEY", not _fits_a_header(self.api_key), "holds white space or characters that no key has"),
            ("AI_MODEL", bool(self.base_url) and not self.model, "must name a model when OPENAI_BASE_URL is set"),
            # Written as "not above", so that `nan` is refused too.
            ("PROVIDER_CONNECT_TIMEOUT_SECONDS", not self.connect_timeout > 0, "must be above 0"),
            ("PROVIDER_TIMEOUT_SECONDS", not self.read_timeout > 0, "must be above 0"),
            ("PROVIDER_RETRIES", self.retries < 0, "must not be negative"),
            ("PROVIDER_MAX_WAIT_SECONDS", not self.max_wait >= 0, "must not be negative"),
            ("AI_CONTEXT_TOKENS", self.context_tokens < 1, "must be at least 1"),
            ("PROVIDER_CONNECTIONS", self.connections < 1, "must be at least 1"),
            ("PROVIDER_OMIT", not set(self.omit) <= set(OPTIONAL_FIELDS), f"may name {', '.join(OPTIONAL_FIELDS)}"),
        ]
        return [(variable, fault) for variable, wrong, fault in tests if wrong]


def _not_a_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(url) and (parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0)
    except ValueError:  # a port that is no number
        return True


def _has_user(url: str) -> bool:
    return "@" in url.partition("//")[2].partition("/")[0]


def _fits_a_header(value: str) -> bool:
    return value.isascii() and (value.isprintable() and " " not in value)
