"""`flask pipelines`: deploy models from files, list what is deployed, undeploy it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson
from flask.cli import AppGroup
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from tasks.pipelines.definition import MOST_STEPS, written
from tasks.pipelines.description import SHARED, Batching, Deployment, Model, Workspace
from tasks.pipelines.folders import pieces, shared_workspace
from tasks.pipelines.management import Refused
from tasks.pipelines.sample.encoding import Unreadable, encode
from webapp.api.pipelines.management import path_of
from webapp.services import services


class PipelinesGroup(AppGroup):
    """The commands on pipelines. Nearly all of them need Redis."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RedisError as error:
            raise click.ClickException(f"Redis, where pipelines are kept, does not answer: {error}") from error
        except Refused as error:
            raise click.ClickException(str(error)) from error


pipelines = PipelinesGroup("pipelines", help="Deploy models, list and undeploy them. A worker must be there to deploy.")

MODEL = click.Path(exists=True, dir_okay=False, path_type=Path)


@pipelines.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=MODEL)
@click.option("--workspace", required=True, help="Where everybody sees it; made when there is none of that name.")
@click.option("--model", "model_name", help="The name of the model; that of its file without it.")
@click.option("--shadow", "shadows", multiple=True, type=MODEL, help="A model that runs beside the last one.")
@click.option("--check", "checks", multiple=True, help="Such as 'main < 0.9'; may be given several times.")
@click.option("--max-batch", default=1, show_default=True, help="Most waiting requests that become one run.")
@click.option("--max-delay", default=0.0, show_default=True, help="Seconds that the first of them waits for more.")
def deploy(  # noqa: PLR0917 - each is an option
    name: str,
    files: Sequence[Path],
    workspace: str,
    model_name: str | None,
    shadows: Sequence[Path],
    checks: Sequence[str],
    max_batch: int,
    max_delay: float,
) -> None:
    """Deploy the models in FILES, one after the other, as the pipeline NAME."""
    if len(files) > MOST_STEPS or (model_name and len(files) > 1):
        raise click.UsageError("Give one model with --model, or up to 20 files that are called as their models.")
    place, management = shared_workspace(services().registry, workspace), services().management
    steps = [[_added(place, each, model_name)] for each in files]
    steps[-1] += [_added(place, each, None) for each in shadows]
    definition = written(steps, checks, Batching(max_batch, max_delay))
    deployment = management.deploy(place, *management.add_variant(place, name, definition), name)
    click.echo(f"Deployed {name} (version {deployment.version}) at {path_of(deployment)}")


@pipelines.command("list")
def list_deployed() -> None:
    """List what is deployed."""
    registry = services().registry
    names = {each.id: each.name for each in registry.workspaces()}
    table = Table("name", "workspace", "owner", "models", "status", "path")
    for each in registry.deployments():
        status = services().readiness.of(each)[0]
        models = ", ".join(model.name for model in each.models)
        table.add_row(each.name, names.get(each.workspace, ""), each.owner, models, status, path_of(each))
    Console().print(table)


@pipelines.command()
@click.argument("name")
@click.option("--workspace", help="Needed when several workspaces have a deployment of that name.")
def undeploy(name: str, workspace: str | None) -> None:
    """Let the deployment NAME take no more requests."""
    registry = services().registry
    names = {each.id: each.name for each in registry.workspaces()}
    found = [
        each for each in registry.deployments() if each.name == name and workspace in (None, names[each.workspace])
    ]
    if len(found) != 1:
        raise click.ClickException(_which(name, found, names))
    registry.undeploy(found[0].id)
    click.echo(f"Undeployed {name}.")


@pipelines.command("encode")
@click.argument("names", nargs=-1, required=True)
def show_codes(names: Sequence[str]) -> None:
    """Write domain NAMES as the input of the sample model: the body of a request."""
    try:
        click.echo(orjson.dumps({"text_input": [encode(name) for name in names]}))
    except Unreadable as error:
        raise click.ClickException(str(error)) from error


def _which(name: str, found: Sequence[Deployment], names: dict[int, str]) -> str:
    if not found:
        return f"Nothing is deployed as {name}; `flask pipelines list` shows what is."
    return f"{name} is deployed in several workspaces ({', '.join(names[each.workspace] for each in found)}): name one."


def _added(workspace: Workspace, file: Path, name: str | None) -> Model:
    called = name or file.stem.lower().replace("_", "-")
    return services().management.add_model(workspace, called, file.name, lambda: pieces(file), SHARED)
