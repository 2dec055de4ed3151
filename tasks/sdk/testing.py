"""Stand-ins for unit tests of agents: a context that remembers, a scripted provider and files from memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.sdk.artifacts import Artifact
from tasks.sdk.errors import Canceled
from tasks.sdk.files import File
from tasks.sdk.generation import Completion, Message, Provider, Usage
from tasks.sdk.report import Report

# So small that a test's file has several pieces, as a large one has in a job.
_PIECE = 16


def fake_file(content: bytes | str, name: str = "document.txt", media_type: str = "text/plain") -> File:
    """Return a file as an agent gets it, read from memory in small pieces."""
    data = content.encode() if isinstance(content, str) else content
    pieces = [data[start : start + _PIECE] for start in range(0, len(data), _PIECE)]
    return File(name, media_type, len(data), lambda: iter(pieces))


class FakeStream:
    """A scripted answer, word by word."""

    def __init__(self, text: str) -> None:
        head, *words = text.split(" ")
        self._pieces = [head, *(f" {word}" for word in words)]
        self.usage = Usage()
        self.finish_reason = ""
        self.closed = False

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            yield piece
            self.usage += Usage(completion_tokens=1)
        self.finish_reason = "stop"

    def close(self) -> None:
        """Remember that the stream was closed."""
        self.closed = True


@dataclass
class FakeProvider:
    """Gives the answers of its script in turn, the last one for ever, and keeps what it was asked in `requests`.

    An exception in the script is raised: this is how a test lets the model server fail.
    """

    answers: Sequence[str | Exception] = ("A scripted answer.",)
    model: str = "fake"
    requests: list[list[Message]] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)

    def complete(self, messages: Sequence[Message], **options: Any) -> Completion:
        """Give the next answer. One token is one word."""
        text = self._next(messages, options)
        return Completion(text, Usage(sum(len(each.content.split()) for each in messages), len(text.split())))

    def stream(self, messages: Sequence[Message], **options: Any) -> FakeStream:
        """Give the next answer word by word."""
        return FakeStream(self._next(messages, options))

    def _next(self, messages: Sequence[Message], options: dict[str, Any]) -> str:
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append([*messages])
        self.options.append(options)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class FakeLog:
    """Keeps what was logged, as `(level, event, values)`."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def debug(self, event: str, /, **values: Any) -> None:
        """Keep a line."""
        self.lines.append(("debug", event, values))

    def info(self, event: str, /, **values: Any) -> None:
        """Keep a line."""
        self.lines.append(("info", event, values))

    def warning(self, event: str, /, **values: Any) -> None:
        """Keep a line."""
        self.lines.append(("warning", event, values))

    def error(self, event: str, /, **values: Any) -> None:
        """Keep a line."""
        self.lines.append(("error", event, values))


@dataclass
class FakeContext:
    """A context that remembers: what an agent said is in `steps`, `artifacts`, `reports`, `usage` and `log.lines`.

    `usage` holds what the agent added itself: the tokens of the scripted provider mean nothing.
    With `canceled=True`, or once a test sets it, the agent learns that its job was canceled.
    """

    provider: Provider = field(default_factory=FakeProvider)
    settings: Mapping[str, str] = field(default_factory=dict)
    model: Any = None
    canceled: bool = False
    job_id: str = "00000000-0000-4000-8000-000000000000"
    attempt: int = 1
    idempotency_key: str = "fake-idempotency-key"
    request_id: str = "fake-request-id"
    owner: str = "fake-owner"
    log: FakeLog = field(default_factory=FakeLog)
    steps: list[tuple[float, str]] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    past: list[Message] = field(default_factory=list)
    saved: dict[str, Any] = field(default_factory=dict)

    def save(self, name: str, value: Any) -> None:
        """Remember a value: give it to another context as `saved` to play a second attempt."""
        self.check()
        self.saved[name] = value

    def load(self, name: str) -> Any:
        """Return what was saved."""
        return self.saved.get(name)

    def progress(self, fraction: float, message: str = "") -> None:
        """Remember a step."""
        self.check()
        self.steps.append((min(max(fraction, 0.0), 1.0), message))

    def check(self) -> None:
        """Raise `Canceled` when the test says so."""
        if self.canceled:
            raise Canceled

    def artifact(self, name: str, data: bytes | Iterable[bytes], media_type: str) -> Artifact:
        """Remember a file."""
        self.check()
        content = data if isinstance(data, bytes) else b"".join(data)
        artifact = Artifact(name, media_type, len(content))
        self.artifacts[name] = content
        return artifact

    def pdf(self, name: str, report: Report) -> Artifact:
        """Remember a report. The file that stands for it is no real PDF: nothing is printed here."""
        self.reports[name] = report
        return self.artifact(name, f"%PDF-fake {report.title}".encode(), "application/pdf")

    def history(self, beside: Sequence[Message] = (), *, max_tokens: int = 1000) -> list[Message]:  # noqa: ARG002
        """What the test has put into `past`, whatever the model could take."""
        self.check()
        return [*self.past]

    def add_usage(self, usage: Usage) -> None:
        """Add tokens."""
        self.usage += usage
