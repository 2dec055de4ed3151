"""The settings of the metrics, of web and workers alike."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tasks.jobs.environment import SettingError, setting

HIGHEST_PORT = 65_535


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """Where Prometheus asks. Never the port that callers use, and no path of it."""

    port: int = setting(
        "METRICS_PORT",
        "Port where this process answers `GET /metrics`; 0 counts nothing. Processes of one machine need one each.",
        default=0,
    )
    host: str = setting(
        "METRICS_HOST",
        "Address of that port; `0.0.0.0` in a container, where nobody outside reaches it.",
        default="127.0.0.1",
    )
    folder: Path = setting(
        "METRICS_DIR",
        "Folder in which the processes of a service put their counts together; emptied at its start.",
        default=Path("var/metrics"),
    )

    def __post_init__(self) -> None:
        if not 0 <= self.port <= HIGHEST_PORT:
            raise SettingError(f"METRICS_PORT must be between 0 and {HIGHEST_PORT}, but is {self.port}")
