"""The running job as its agent sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks import metrics
from tasks.jobs import logs
from tasks.jobs.artifacts import ArtifactStore
from tasks.jobs.record import ArtifactInfo
from tasks.sdk import AgentError, Artifact, Completion, File, Message, Report, Usage
from tasks.sdk.generation import Provider, TextStream
from tasks.worker.checkpoints import Checkpoints
from tasks.worker.flusher import EventWriter
from tasks.worker.history import History
from tasks.worker.running import Running


@dataclass(frozen=True)
class Services:
    """What every job of a process shares."""

    store: ArtifactStore
    provider: Provider
    settings: Mapping[str, str]
    history: History
    fonts: Sequence[Path] = ()


@dataclass
class JobContext:
    """See `tasks.sdk.Context`. It also keeps what the end of the job needs: artifacts and usage."""

    running: Running
    writer: EventWriter
    services: Services
    checkpoints: Checkpoints
    model: Any = None
    artifacts: list[ArtifactInfo] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish_reason: str = ""  # of the provider's last answer

    def __post_init__(self) -> None:
        job = self.running.claim.job
        self.job_id = self.idempotency_key = job.id
        self.attempt = job.attempt
        self.owner = job.owner
        self.request_id = job.request_id
        self.settings = self.services.settings
        self.provider: Provider = _Metered(self.services.provider, self)
        self.log = logs.get_logger(job.agent)
        self._agent = job.agent
        self._spoken = False

    def progress(self, fraction: float, message: str = "") -> None:
        self.writer.emit("progress", {"fraction": min(max(float(fraction), 0.0), 1.0), "message": message})

    def check(self) -> None:
        self.running.check()

    def artifact(self, name: str, data: bytes | Iterable[bytes], media_type: str) -> Artifact:
        self.check()
        key = f"{self.job_id}/{self.attempt}/{Artifact(name, media_type, 0).name}"
        size = self.services.store.put(key, [data] if isinstance(data, bytes) else self._checked(data))
        metrics.ARTIFACTS.add(self._agent)
        metrics.ARTIFACT_BYTES.add(self._agent, by=size)
        self.artifacts.append(ArtifactInfo(name, media_type, size, key, self.attempt))
        self.writer.emit("artifact", {"name": name, "media_type": media_type, "size": size})
        return Artifact(name, media_type, size)

    def pdf(self, name: str, report: Report) -> Artifact:
        from tasks.worker.pdf import render_report  # noqa: PLC0415 - a worker that prints nothing does not load it

        printed = render_report(report, font_paths=self.services.fonts)
        return self.artifact(name, printed, "application/pdf")

    def history(self, beside: Sequence[Message] = (), *, max_tokens: int = 1000) -> list[Message]:
        self.check()
        job = self.running.claim.job
        return self.services.history.before(job, beside, max_tokens) if job.conversation else []

    def save(self, name: str, value: Any) -> None:
        self.checkpoints.save(name, value)

    def load(self, name: str) -> Any:
        return self.checkpoints.load(name)

    def add_usage(self, usage: Usage) -> None:
        self.usage += usage

    def token(self, content: str) -> None:
        """Say a piece of the answer."""
        if content:
            self._count_first_token()
            self.writer.emit("token", {"content": content})

    def _count_first_token(self) -> None:
        job = self.running.claim.job
        if not self._spoken and job.attempt == 1:
            metrics.FIRST_TOKEN.observe(self.running.waited + self.running.age, job.agent, job.queue)
        self._spoken = True

    def open_file(self, stored: Mapping[str, Any]) -> File:
        """Open a file that was uploaded with the job or before it."""
        name, key = stored["name"], stored["key"]

        def source() -> Iterator[bytes]:
            try:
                return self.services.store.open(key)
            except FileNotFoundError as error:  # uploaded before the job, and deleted since
                raise AgentError(f"The file {name!r} is not there any more.", code="unreadable_file") from error

        return File(name, stored["media_type"], stored["size"], source)

    def _checked(self, data: Iterable[bytes]) -> Iterator[bytes]:
        for piece in data:
            self.check()
            yield piece


class _Metered:
    """The provider of one job: it counts usage, and a canceled job stops at its next piece."""

    def __init__(self, provider: Provider, context: JobContext) -> None:
        self._provider = provider
        self._context = context
        self.model = provider.model

    def complete(self, messages: Sequence[Message], **options: Any) -> Completion:
        self._context.check()
        completion = self._provider.complete(messages, **options)
        self._context.add_usage(completion.usage)
        self._context.finish_reason = completion.finish_reason
        return completion

    def stream(self, messages: Sequence[Message], **options: Any) -> TextStream:
        self._context.check()
        return _MeteredStream(self._provider.stream(messages, **options), self._context)


class _MeteredStream:
    def __init__(self, stream: TextStream, context: JobContext) -> None:
        self._stream = stream
        self._context = context
        self._counted = False

    @property
    def usage(self) -> Usage:
        return self._stream.usage

    @property
    def finish_reason(self) -> str:
        return self._stream.finish_reason

    def __iter__(self) -> Iterator[str]:
        try:
            for piece in self._stream:
                self._context.check()
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        self._stream.close()
        if not self._counted:
            self._counted = True
            self._context.finish_reason = self._stream.finish_reason
            self._context.add_usage(self._stream.usage)
