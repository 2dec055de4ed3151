"""`flask jobs dead`: jobs that were given up because they lost their worker too often."""

from __future__ import annotations

import click
import orjson
from flask.cli import AppGroup
from rich.table import Column, Table
from rich.text import Text

from tasks.jobs import Job, LimitReached
from tasks.jobs.dead import DeadJobs
from webapp.api.dead_jobs import summary
from webapp.services import services
from webapp.terminal import console

dead = AppGroup("dead", help="Jobs that were given up because they lost their worker too often.")

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
chosen = click.argument("job_ids", nargs=-1, required=False)
everyone = click.option("--all", "every", is_flag=True, help="All there are.")


@dead.command("list")
@as_json
def list_dead(as_json: bool) -> None:
    """List them, the latest first."""
    found = _dead().all()
    if as_json:
        click.echo(orjson.dumps([summary(job) for job in found]))
        return
    title = "Given up" if found else "No job was given up"
    table = Table(
        Column("id", no_wrap=True, min_width=36), "agent", "owner", "given up", title=title
    )  # ids are there to be copied
    for job in found:
        ended = job.completed_at.strftime("%Y-%m-%d %H:%M UTC") if job.completed_at else ""
        # As text: square brackets in a name are no markup.
        table.add_row(job.id, job.agent, Text(job.owner), ended)
    console().print(table)


@dead.command()
@click.argument("job_id")
def show(job_id: str) -> None:
    """Show one as JSON, with its input and its events."""
    [job] = _chosen((job_id,), every=False)
    engine = services().engine
    events = [{"id": event.id, "type": event.type, "data": event.data} for event in engine.events(job.id)]
    document = summary(job) | {"input": engine.payload(job), "events": events}
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


@dead.command()
@chosen
@everyone
def retry(job_ids: tuple[str, ...], every: bool) -> None:
    """Run them again, each as a new job of its owner, and take them off the list. Writes the new ids."""
    for job in _chosen(job_ids, every=every):
        try:
            click.echo(_dead().retry(job).id)
        except LimitReached as error:
            raise click.ClickException(f"{job.id}: {error}; try again in {error.retry_after} s") from error


@dead.command()
@chosen
@everyone
def purge(job_ids: tuple[str, ...], every: bool) -> None:
    """Forget them, with their input and events."""
    for job in _chosen(job_ids, every=every):
        _dead().purge(job)
        click.echo(f"Purged {job.id}.")


def _dead() -> DeadJobs:
    return DeadJobs(services().engine)


def _chosen(job_ids: tuple[str, ...], *, every: bool) -> list[Job]:
    if every == bool(job_ids):
        raise click.UsageError("Name the jobs, or say --all.")
    if every:
        return _dead().all()
    found = {job_id: _dead().get(job_id) for job_id in job_ids}
    missing = [job_id for job_id, job in found.items() if job is None]
    if missing:
        raise click.ClickException(f"Not given up: {', '.join(missing)}; `flask jobs dead list` shows those that were.")
    return [job for job in found.values() if job is not None]
