"""The settings of the provider, and the choice that they make."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tasks.jobs.environment import SettingError, load
from tasks.worker.providers import OfflineProvider, OpenAICompatibleProvider, ProviderSettings, make_provider

SERVER = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "AI_MODEL": "small"}


def test_without_an_address_the_offline_provider_answers() -> None:
    assert isinstance(make_provider(load(ProviderSettings, {"OPENAI_API_KEY": "unused"})), OfflineProvider)


def test_with_an_address_its_server_answers() -> None:
    provider = make_provider(load(ProviderSettings, SERVER))
    assert isinstance(provider, OpenAICompatibleProvider)
    assert provider.model == "small"


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"AI_MODEL": ""}, "AI_MODEL"),
        ({"OPENAI_BASE_URL": "localhost:8000"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "ftp://host/v1"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://host:port/v1"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://user:word@host/v1", "OPENAI_API_KEY": "sk"}, "OPENAI_BASE_URL"),
        ({"OPENAI_API_KEY": "two\nlines"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "ключ"}, "OPENAI_API_KEY"),
        ({"PROVIDER_TIMEOUT_SECONDS": "0"}, "PROVIDER_TIMEOUT_SECONDS"),
        ({"PROVIDER_TIMEOUT_SECONDS": "nan"}, "PROVIDER_TIMEOUT_SECONDS"),
        ({"PROVIDER_CONNECT_TIMEOUT_SECONDS": "-1"}, "PROVIDER_CONNECT_TIMEOUT_SECONDS"),
        ({"PROVIDER_RETRIES": "-1"}, "PROVIDER_RETRIES"),
        ({"PROVIDER_MAX_WAIT_SECONDS": "-1"}, "PROVIDER_MAX_WAIT_SECONDS"),
        ({"PROVIDER_CONNECTIONS": "0"}, "PROVIDER_CONNECTIONS"),
        ({"PROVIDER_OMIT": "messages"}, "PROVIDER_OMIT"),
    ],
)
def test_a_setting_that_cannot_work_is_named_at_the_start(changed: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingError, match=f"^{variable} "):
        load(ProviderSettings, SERVER | changed)


def test_secrets_do_not_show() -> None:
    secrets = {"OPENAI_BASE_URL": "http://user:word@host/v1"}
    assert "word" not in repr(load(ProviderSettings, SERVER | secrets))
    assert "sk-1" not in repr(load(ProviderSettings, SERVER | {"OPENAI_API_KEY": "sk-1"}))


def test_the_providers_load_no_library_that_they_do_not_need() -> None:
    heavy = ("openai", "pydantic", "httpx", "httpx2", "httpcore", "gevent", "numpy", "flask")
    script = f"import sys, tasks.worker.providers; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
