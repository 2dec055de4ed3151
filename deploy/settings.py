"""The settings of the processes themselves: where the web server listens, and how much runs at once."""

from __future__ import annotations

import dataclasses

from tasks.jobs.environment import SettingError, setting

HIGHEST_PORT = 65_535


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """What `deploy/gunicorn.conf.py` and the Procfile read."""

    host: str = setting("HOST", "Address that the web server listens on; `0.0.0.0` for all.", default="127.0.0.1")
    port: int = setting("PORT", "Port that the web server listens on.", default=8000)
    internal_host: str = setting("INTERNAL_HOST", "Address that `INTERNAL_PORT` is bound to.", default="127.0.0.1")
    web_processes: int = setting("WEB_CONCURRENCY", "Web processes; 0 means one a core, and two at least.", default=0)
    io_concurrency: int = setting("IO_CONCURRENCY", "Jobs that one worker of the queue `io` runs at once.", default=500)
    cpu_concurrency: int = setting(
        "CPU_CONCURRENCY", "Processes of one worker of the queue `cpu`, each with one job at a time.", default=2
    )

    def __post_init__(self) -> None:
        if not 0 < self.port <= HIGHEST_PORT:
            raise SettingError(f"PORT must be between 1 and {HIGHEST_PORT}, but is {self.port}")
        if self.web_processes < 0:
            raise SettingError(f"WEB_CONCURRENCY must not be negative, but is {self.web_processes}")
