"""The job engine, shared by the web side and the workers: record, transitions, event log, artifacts."""

from tasks.jobs.artifacts import ArtifactStore, LocalArtifacts
from tasks.jobs.connection import connect
from tasks.jobs.engine import Engine
from tasks.jobs.errors import EngineError, JobGone, KeyReused, LimitReached
from tasks.jobs.events import Event
from tasks.jobs.record import ArtifactInfo, Idempotency, Job, JobError, NewJob, Status

__all__ = [
    "ArtifactInfo",
    "ArtifactStore",
    "Engine",
    "EngineError",
    "Event",
    "Idempotency",
    "Job",
    "JobError",
    "JobGone",
    "KeyReused",
    "LimitReached",
    "LocalArtifacts",
    "NewJob",
    "Status",
    "connect",
]
