"""The job engine, shared by the web side and the workers: record, transitions, event log, artifacts."""

from tasks.jobs.artifacts import ArtifactStore, LocalArtifacts
from tasks.jobs.connection import connect
from tasks.jobs.conversations import Conversation, Conversations
from tasks.jobs.engine import Engine
from tasks.jobs.errors import ConversationFull, EngineError, JobGone, KeyReused, LimitReached, NoConversation
from tasks.jobs.events import Event
from tasks.jobs.new_job import Idempotency, NewJob, NewTurn
from tasks.jobs.record import ArtifactInfo, Batching, Job, JobError, Status
from tasks.jobs.stores import artifact_store

__all__ = [
    "ArtifactInfo",
    "ArtifactStore",
    "Batching",
    "Conversation",
    "ConversationFull",
    "Conversations",
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
    "NewTurn",
    "NoConversation",
    "Status",
    "artifact_store",
    "connect",
]
