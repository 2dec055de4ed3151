"""`flask jobs`: list, show, watch and cancel jobs, of whichever owner."""

from __future__ import annotations

import dataclasses
from typing import Any

import click
import orjson
from flask.cli import AppGroup
from redis.exceptions import RedisError
from rich.table import Column, Table
from rich.text import Text

from tasks.jobs import Engine, Job, Status, upkeep
from tasks.jobs.listing import Filter, page
from webapp.dead_jobs_cli import dead
from webapp.jobs_watch import watch_in_terminal, watch_lines
from webapp.services import services
from webapp.terminal import console


class JobsGroup(AppGroup):
    """The commands on jobs. All of them need Redis."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RedisError as error:
            raise click.ClickException(f"Redis, where the jobs are kept, does not answer: {error}") from error


jobs = JobsGroup("jobs", help="List, show, watch and cancel jobs.")
jobs.add_command(dead)

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")


@jobs.command("list")
@click.option("--owner", help="Only jobs of this principal, such as `static` or `key:<id>`; all without it.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only jobs of this status.")
@click.option("--agent", help="Only jobs of this agent.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="The most jobs.")
@as_json
def list_jobs(owner: str | None, status: str | None, agent: str | None, limit: int, as_json: bool) -> None:
    """List jobs, the newest first."""
    wanted = Filter(Status(status) if status else None, agent)
    engine = services().engine
    owners = [owner] if owner else _owners(engine)
    found = [job for each in owners for job in page(engine, each, wanted, limit).jobs]
    newest = sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)[:limit]
    if as_json:
        click.echo(orjson.dumps([_document(job) for job in newest]))
    else:
        console().print(_table(newest))


@jobs.command()
@click.argument("job_id")
@as_json
def show(job_id: str, as_json: bool) -> None:
    """Show one job."""
    job = _job(job_id)
    document = _document(job)
    if job.status is Status.PENDING:
        position, seconds = services().engine.queue_place(job)
        document["queue_position"], document["wait_seconds"] = position, seconds
    if as_json:
        click.echo(orjson.dumps(document))
        return
    table = Table(show_header=False, title=f"Job {job.id}")
    for name, value in document.items():
        if value not in (None, "", [], {}):
            table.add_row(name, Text(value if isinstance(value, str) else orjson.dumps(value).decode()))
    console().print(table)


@jobs.command()
@click.argument("job_id")
@as_json
def watch(job_id: str, as_json: bool) -> None:
    """Follow a job to its end; fails unless it completes. With --json: one event a line."""
    job = _job(job_id)
    follow = watch_lines if as_json else watch_in_terminal
    if follow(services().hub, job) is not Status.COMPLETED:
        raise click.exceptions.Exit(1)


@jobs.command()
@click.argument("job_id")
@as_json
def cancel(job_id: str, as_json: bool) -> None:
    """Cancel a job. One that has ended stays as it is."""
    status = services().engine.cancel(_job(job_id))
    if as_json:
        click.echo(orjson.dumps({"id": job_id, "status": status}))
    else:
        click.echo(f"{job_id} is {status}.")


@jobs.command()
@as_json
def removed(as_json: bool) -> None:
    """Count what the workers' keeper has removed because its time was over."""
    counts = upkeep.removed(services().engine)
    if as_json:
        click.echo(orjson.dumps(counts))
    else:
        click.echo(", ".join(f"{count:,} {name}" for name, count in counts.items()))


def _job(job_id: str) -> Job:
    job = services().engine.get(job_id)
    if job is None:
        raise click.ClickException(f"There is no job {job_id}; `flask jobs list` shows those there are.")
    return job


def _owners(engine: Engine) -> list[str]:
    before, _, behind = engine.keys.jobs_of("*").partition("*")
    names = (name.decode() for name in engine.redis.scan_iter(f"{before}*{behind}", count=1000))
    return sorted(name.removeprefix(before).removesuffix(behind) for name in names)


def _document(job: Job) -> dict[str, Any]:
    """Everything about a job but what its caller sent: that is not the operator's to read."""
    return {name: value for name, value in dataclasses.asdict(job).items() if name not in ("payload", "result")}


def _table(found: list[Job]) -> Table:
    whole = Column("id", no_wrap=True, min_width=36)  # to be copied
    table = Table(whole, "agent", "owner", "status", "progress", "created", title="Jobs" if found else "No jobs")
    for job in found:
        # As text: square brackets in a message are no markup.
        progress = Text(f"{job.progress_fraction:.0%} {job.progress_message}".strip())
        created = job.created_at.strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(Text(job.id, no_wrap=True), job.agent, Text(job.owner), job.status.value, progress, created)
    return table
