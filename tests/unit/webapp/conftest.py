"""An application with agents of its own. Nothing here connects anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.jobs import Conversations
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from tasks.sdk import Agent, Artifact, Catalogue, Context, Fault, File, Param, agent
from tasks.sdk.declaration import declaration_of
from tasks.sdk.inspector import describe
from webapp.factory import create_app
from webapp.settings import WebSettings

STATIC_KEY = "a-static-key-of-the-tests"
QUEUES = {"io": "gevent", "cpu": "prefork"}


@dataclass
class Options:
    """A record in an input."""

    depth: Annotated[int, Param("How deep to look", ge=1, le=5)] = 2
    tags: list[str] | None = None

    def __post_init__(self) -> None:
        if self.tags == ["forbidden"]:
            raise ValueError("this tag is forbidden")


@agent
def ai_service(
    param1: Annotated[str, Param("The text to analyse", max_length=100, examples=["A short text."])],
    param2: Annotated[str | None, Param("A focus")] = None,
) -> str:
    """Analyse a text in the tests.

    It says nothing new.
    """
    return param1


@agent(queue="cpu")
def ai_service_binary(
    param1: Annotated[str, Param("The text to analyse", max_length=100)], param2: str | None = None
) -> Artifact:
    """Analyse a text as a file."""
    raise NotImplementedError


@agent
def every_type(
    *,
    whole: Annotated[int, Param("A count", ge=0, le=10)],
    number: float,
    flag: bool,
    choice: Literal["short", "long"],
    words: Annotated[list[str], Param("Some words", min_length=1)],
    options: Options,
    level: Literal[1, 2] | None = None,
) -> str:
    """Take everything that JSON can say."""
    return ""


@agent(queue="cpu")
def read_file(
    document: Annotated[File, Param("A document")],
    pages: int = 3,
    options: Options | None = None,
    others: list[File] | None = None,
) -> str:
    """Read a file."""
    return ""


@agent
def chat(
    context: Context,
    message: Annotated[str, Param("What to answer", min_length=1, max_length=100, examples=["Hello"])],
    temperature: Annotated[float, Param("How free", ge=0, le=2)] = 0.7,
) -> Iterator[str]:
    """Answer a message in the tests."""
    yield message


def described(function: Callable[..., Any]) -> Agent:
    """The description of a decorated function."""
    faults: list[Fault] = []
    declared = declaration_of(function)
    assert declared is not None
    found = describe(function, declared, QUEUES, faults)
    assert found is not None, faults
    return found


@pytest.fixture(autouse=True)
def three_conversations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `/health` counts where there is no Redis to ask."""
    monkeypatch.setattr(Conversations, "count", lambda _: 3)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(described(each) for each in (ai_service, ai_service_binary, chat, every_type, read_file))


@pytest.fixture
def app(catalogue: Catalogue) -> Flask:
    return create_app(WebSettings(api_key=Secret(STATIC_KEY)), EngineSettings(), catalogue=catalogue)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def key() -> dict[str, str]:
    return {"X-API-Key": STATIC_KEY}
