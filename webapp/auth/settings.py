"""The settings of who may do what, and how often."""

from __future__ import annotations

import dataclasses

from tasks.jobs.environment import SettingError, setting
from webapp.auth import scopes


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """A part of the settings of the web side."""

    api_key_scopes: tuple[str, ...] = setting(
        "API_KEY_SCOPES",
        f"What the key of API_KEY may do, of {', '.join(scopes.ALL)}.",
        default=tuple(each for each in scopes.ALL if each in scopes.STATIC),
    )

    def __post_init__(self) -> None:
        try:
            scopes.known(self.api_key_scopes)
        except ValueError as error:
            raise SettingError(f"API_KEY_SCOPES: {error}") from error
