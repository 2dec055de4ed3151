"""What an agent may raise.

AgentError              the job fails; `code` and `detail` reach the caller
├── ProviderError       the model server failed; `permanent` says that another try would not help
└── ResultError         the agent returned something else than it declares; raised for it, not by it
Canceled                raised *into* an agent whose job was canceled: let it pass
"""

from __future__ import annotations


class AgentError(Exception):
    """Fail the job with a reason that its owner may read.

    `code` is a snake_case word that programs compare, `detail` a sentence for people. Anything else that an
    agent raises fails the job too, but its owner reads only that the agent failed: no internals leave the house.
    """

    code = "agent_error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


class ProviderError(AgentError):
    """The model server did not answer, or not with an answer."""

    code = "provider_error"

    def __init__(self, detail: str, *, code: str | None = None, permanent: bool = False) -> None:
        super().__init__(detail, code=code)
        self.permanent = permanent


class Canceled(BaseException):
    """The job was canceled. A `BaseException`, so that `except Exception` in an agent does not swallow it."""


class ResultError(AgentError):
    """The agent returned something else than it declares."""

    code = "invalid_result"
