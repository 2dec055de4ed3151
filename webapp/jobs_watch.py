"""Follow a job in a terminal: a bar for people, lines of JSON for scripts."""

from __future__ import annotations

from collections.abc import Iterator

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from tasks.jobs import Event, Job, Status
from webapp.events.hub import EventHub


def watch_lines(hub: EventHub, job: Job) -> Status | None:
    """Write each event of the job as one line of JSON, from its first. Returns how it ended, None when it is gone."""
    last: Status | None = None
    for event in _events(hub, job):
        click.echo(orjson.dumps({"id": event.id, "type": event.type, "data": event.data}))
        last = Status(event.type) if event.terminal else None
    return last


def watch_in_terminal(hub: EventHub, job: Job) -> Status | None:
    """Show the progress of the job as a bar. Returns how it ended, None when it is gone."""
    last: Status | None = None
    with _bar() as bar:
        task = bar.add_task(job.agent, total=1.0, said="waiting" if job.status is Status.PENDING else "")
        for event in _events(hub, job):
            _show(bar, task, event)
            last = Status(event.type) if event.terminal else None
    if last is None:
        click.echo(f"{job.id} is gone.")
    return last


def _events(hub: EventHub, job: Job) -> Iterator[Event]:
    with hub.attach(job.id) as subscription:
        yield from (event for event in subscription.events() if event is not None)


def _bar() -> Progress:
    # The message is the agent's: text, and no markup.
    columns = ("[bold]{task.description}", BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    said = TextColumn("{task.fields[said]}", markup=False)
    return Progress(*columns, said, console=Console())


def _show(bar: Progress, task: TaskID, event: Event) -> None:
    match event.type:
        case "progress":
            bar.update(task, completed=event.data["fraction"], said=_line(event.data["message"]))
        case "started" | "restarted":
            attempt = event.data["attempt"]
            bar.reset(task, said="running" if attempt == 1 else f"running again, attempt {attempt}")
        case "completed":
            bar.update(task, completed=1.0, said="completed")
        case "failed":
            bar.update(task, said=_line(f"failed: {event.data.get('detail', '')}"))
        case "canceled":
            bar.update(task, said="canceled")
        case "artifact":
            bar.console.print(Text(f"made {event.data['name']} ({event.data['size']:,} bytes)"))


def _line(message: str) -> str:
    """A message as one line without control characters, which a terminal would obey."""
    return " ".join("".join(each if each.isprintable() else " " for each in message).split())
