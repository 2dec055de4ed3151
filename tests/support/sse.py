"""A reader of server-sent events, strict to the standard, that can be cut off anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.client import Client


@dataclass
class Frame:
    """One event as the standard dispatches it; `retry` and comments come as frames without data."""

    id: str = ""
    event: str = ""
    data: str | None = None
    retry: int | None = None
    comment: bool = False

    @property
    def json(self) -> Any:
        assert self.data is not None
        return json.loads(self.data)


def read_frames(answer: requests.Response) -> Iterator[Frame]:
    """The frames of a stream as they arrive. What is cut off in the middle of a frame is no frame."""
    rest = b""
    for piece in answer.iter_content(chunk_size=None):
        *blocks, rest = (rest + piece).split(b"\n\n")
        yield from (_parse(block.decode()) for block in blocks)


def _parse(block: str) -> Frame:
    frame, data = Frame(), []
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "":
            frame.comment = True
        elif name == "data":
            data.append(value)
        elif name == "retry":
            frame.retry = int(value)
        else:
            assert name in ("id", "event"), line
            setattr(frame, name, value)
    frame.data = "\n".join(data) if data else None
    return frame


@dataclass
class Follower:
    """Follows one job over as many connections as it takes, and keeps what arrived."""

    client: Client
    job_id: str
    events: list[Frame] = field(default_factory=list)
    connections: int = 0

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events]

    @property
    def content(self) -> str:
        return "".join(event.json["content"] for event in self.events if event.event == "token")

    @property
    def over(self) -> bool:
        return bool(self.events) and self.events[-1].event in ("completed", "failed", "canceled")

    def connect(self, enough: Callable[[], bool] = lambda: False) -> requests.Response:
        """Read on from where we are until `enough`, or until the stream ends."""
        headers = {"Last-Event-ID": self.ids[-1]} if self.events else {}
        answer = self.client.get(f"/v1/jobs/{self.job_id}/events", headers=headers, stream=True)
        self.connections += 1
        with closing(answer):
            if answer.status_code == 200:
                self._read(answer, enough)
        return answer

    def follow(self, patience: float = 60) -> None:
        """Connect again and again until the job is over."""
        deadline = time.monotonic() + patience
        while not self.over:
            assert time.monotonic() < deadline, self.ids[-3:]
            with suppress(requests.RequestException):
                if self.connect().status_code == requests.codes.ok:
                    continue
            time.sleep(0.1)

    def _read(self, answer: requests.Response, enough: Callable[[], bool]) -> None:
        for frame in read_frames(answer):
            if frame.data is not None:
                self.events.append(frame)
            if enough():
                return
