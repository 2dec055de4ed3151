"""What an agent may ask of the process that runs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tasks.sdk.artifacts import Artifact
from tasks.sdk.generation import Message, Provider, Usage
from tasks.sdk.report import Report

if TYPE_CHECKING:
    # Only a type checker needs the default that lets an agent write plain `Context`: `typing` has it from 3.13 on.
    from typing_extensions import TypeVar

    ModelT_co = TypeVar("ModelT_co", covariant=True, default=Any)
else:
    from typing import TypeVar

    ModelT_co = TypeVar("ModelT_co", covariant=True)


class Log(Protocol):
    """A structured log: a short event and named values. The job's id and the request's id are added to each line."""

    def debug(self, event: str, /, **values: Any) -> Any:
        """Say what only its developer wants to know."""

    def info(self, event: str, /, **values: Any) -> Any:
        """Say what happened."""

    def warning(self, event: str, /, **values: Any) -> Any:
        """Say what is odd, but went on."""

    def error(self, event: str, /, **values: Any) -> Any:
        """Say what failed."""


class Context(Protocol[ModelT_co]):
    """The running job, as its agent sees it. `Context[Model]` gives `context.model` a type; `Context` does not."""

    @property
    def job_id(self) -> str:
        """The job's id."""

    @property
    def attempt(self) -> int:
        """The number of this try, from 1 on."""

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at this job: hand it to services that must not act twice."""

    @property
    def request_id(self) -> str:
        """The id of the HTTP request that made the job."""

    @property
    def owner(self) -> str:
        """The principal whose job this is."""

    @property
    def model(self) -> ModelT_co:
        """What the agent's setup function returned, made once per worker process."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The agents' own settings: the variable `AGENT_NAME` is `settings["NAME"]`."""

    @property
    def log(self) -> Log:
        """The job's log."""

    @property
    def provider(self) -> Provider:
        """The place where text is generated."""

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the job is, from 0 to 1. Raises `Canceled` like `check`."""

    def check(self) -> None:
        """Raise `Canceled` when the job was canceled: call it in loops that say nothing else."""

    def artifact(self, name: str, data: bytes | Iterable[bytes], media_type: str) -> Artifact:
        """Keep a file with the job."""

    def pdf(self, name: str, report: Report) -> Artifact:
        """Print a report and keep it with the job."""

    def history(self, beside: Sequence[Message] = (), *, max_tokens: int = 1000) -> list[Message]:
        """What was said before in the job's conversation, the oldest first; nothing when it belongs to none.

        Questions with their answers: as many of the newest as the model takes in one request, together with the
        messages in `beside` and an answer of `max_tokens`.
        """

    def save(self, name: str, value: Any) -> None:
        """Keep a JSON value (256 KiB at most) for later attempts at this job: what is finished need not be repeated."""

    def load(self, name: str) -> Any:
        """What this attempt or an earlier one saved under the name; None when none did."""

    def add_usage(self, usage: Usage) -> None:
        """Add tokens that the job used elsewhere. The ones of `provider` are counted already."""
