"""Run an agent and read its answer while it is made, whatever breaks in between. Standard library only.

API_KEY=… python follow.py http://127.0.0.1:8000 ai_service '{"param1": "A text."}'
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

ENDS = ("completed", "failed", "canceled")
LATER = (429, 502, 503, 504)  # what says "not now" rather than "no"
SILENCE = 60  # seconds; a stream that lives says something every 15
PATIENCE = 60  # seconds without any event after which we give up


class Event(NamedTuple):
    """What a job said. `name` is started, token, progress, artifact, restarted, or one of `ENDS`."""

    id: str
    name: str
    data: Any


def follow(url: str, key: str, agent: str, payload: dict[str, Any]) -> Iterator[Event]:
    """Run `agent` and yield the events of its job: each once and in order, over as many connections as it takes."""
    # The name of the request makes it safe to send again: it starts one job, however often it arrives.
    start = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    job, last, retry, heard = "", "", 2.0, time.monotonic()
    while True:
        try:
            path = f"/v1/jobs/{job}/events" if job else f"/v1/agents/{agent}/stream"
            headers = {"X-API-Key": key, "Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            body = None if job else json.dumps(payload).encode()
            request = urllib.request.Request(url + path, body, headers if job else headers | start)
            with urllib.request.urlopen(request, timeout=SILENCE) as answer:
                if answer.status == http.client.NO_CONTENT:
                    return  # the job has ended, and we have all of it
                job = answer.headers["X-Job-ID"]
                for field, event in frames(answer):
                    if event is None:
                        retry = float(field) / 1000
                        continue
                    last, heard = event.id, time.monotonic()
                    yield event
                    if event.name in ENDS:
                        return
        except urllib.error.HTTPError as error:
            if error.code not in LATER:
                raise
            retry = float(error.headers.get("Retry-After", retry))
        except (OSError, http.client.HTTPException):
            pass  # the connection broke: the job goes on, and so do we
        if time.monotonic() - heard > PATIENCE:
            raise TimeoutError(f"nothing was heard of the job {job or agent} for {PATIENCE} s")
        time.sleep(retry)


def frames(lines: Iterable[bytes]) -> Iterator[tuple[str, Event | None]]:
    """The events of a stream as they arrive, and its `retry` fields without one. What is cut off is no event."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name == "retry":
            yield value.strip(), None
        elif name:
            fields[name] = value.removeprefix(" ")
        elif line == b"\n" and "data" in fields:
            yield "", Event(fields.get("id", ""), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}


def main(url: str, agent: str, payload: str) -> int:
    """Print the answer as it comes."""
    for event in follow(url, os.environ["API_KEY"], agent, json.loads(payload)):
        if event.name == "token":
            print(event.data["content"], end="", flush=True)
        elif event.name == "restarted":
            print("\n(the job starts again: what came so far is void)", flush=True)
        elif event.name in ENDS:
            print(f"\n{event.name}: {json.dumps(event.data)}")
            return 0 if event.name == "completed" else 1
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
