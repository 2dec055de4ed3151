"""The settings of worker processes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tasks.jobs.environment import setting
from tasks.worker import alive


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """How a worker process behaves (times in seconds)."""

    drain: float = setting(
        "DRAIN_SECONDS",
        "How long a worker that is told to stop lets its jobs run before it hands them back.",
        default=25.0,
    )
    cancel_grace: float = setting(
        "CANCEL_GRACE_SECONDS",
        "How long an interrupted job on a prefork worker may clean up before its process is ended.",
        default=0.5,
    )
    event_delay: float = setting(
        "EVENT_DELAY_SECONDS",
        "How long tokens may wait for their neighbours before they are written together.",
        default=0.01,
    )
    setup_timeout: float = setting(
        "SETUP_TIMEOUT_SECONDS", "How long the setup functions of the agents may take in a new process.", default=120.0
    )
    inference_threads: int = setting(
        "INFERENCE_THREADS",
        "Threads that one run of a model may use; each process of a `cpu` worker has its own.",
        default=1,  # there is a process a core
    )
    pipelines: tuple[str, ...] = setting(
        "PIPELINES",
        "Folders whose subfolders with a `pipeline.json` are deployed when they are new, comma-separated.",
        default=("tasks/pipelines",),
    )
    pdf_fonts: tuple[str, ...] = setting(
        "PDF_FONTS", "Folders with fonts for scripts that the embedded fonts do not draw, comma-separated.", default=()
    )
    alive_dir: Path = setting(
        "ALIVE_DIR",
        "Folder of the files by which `python -m tasks.worker.alive NAME` tells whether a worker is alive.",
        default=Path(alive.FOLDER),
    )
    alive_seconds: float = setting(
        "ALIVE_SECONDS", "How long a worker's loop or thread may stand still and still be alive.", default=alive.STALE
    )
    alive_outage: float = setting(
        "ALIVE_OUTAGE_SECONDS",
        "How long a worker may be without Redis and still be alive: a restart would not help.",
        default=alive.OUTAGE,
    )
    celery_events: bool = setting(
        "CELERY_EVENTS",
        "Let Flower and `celery inspect` see the workers; it costs each a connection, and messages for every job.",
        default=False,
    )
    log_level: str = setting("LOG_LEVEL", "debug, info, warning or error.", default="info")
    log_json: bool = setting("LOG_JSON", "One JSON object a log line; off gives lines for people.", default=True)
