"""Where generated text comes from: an OpenAI-compatible server, or the offline provider."""

from __future__ import annotations

from tasks.worker.providers.offline import OfflineProvider
from tasks.worker.providers.openai_compatible import OpenAICompatibleProvider
from tasks.worker.providers.settings import ProviderSettings

__all__ = ["OfflineProvider", "OpenAICompatibleProvider", "ProviderSettings", "make_provider"]


def make_provider(settings: ProviderSettings) -> OfflineProvider | OpenAICompatibleProvider:
    """Make the provider that the settings ask for. One serves a whole process; make it after the fork."""
    return OpenAICompatibleProvider(settings) if settings.base_url else OfflineProvider()
