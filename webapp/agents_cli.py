"""`flask agents`: the agents there are."""

from __future__ import annotations

from typing import Any

import click
import orjson
from flask.cli import AppGroup
from rich.table import Column, Table
from rich.text import Text

from tasks.sdk import Agent
from webapp.services import services
from webapp.terminal import console

agents = AppGroup("agents", help="List the agents.")


@agents.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def list_agents(as_json: bool) -> None:
    """List the agents, with where each runs and what it takes."""
    found = [_document(agent) for agent in services().catalogue.values()]
    if as_json:
        click.echo(orjson.dumps(found))
        return
    table = Table(Column("agent", no_wrap=True), "queue", "timeout", "takes", "gives", "what it does", title="Agents")
    for each in found:
        # Optional ones in brackets, which are data here and no markup.
        takes = ", ".join(name if required else f"[{name}]" for name, required in each["parameters"].items())
        row = (each["queue"], f"{each['timeout']:g} s", Text(takes), each["returns"], Text(each["summary"]))
        table.add_row(each["name"], *row)
    console().print(table)


def _document(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "queue": agent.queue,
        "timeout": agent.timeout,
        "parameters": {each.name: each.required for each in agent.parameters},
        "returns": agent.returns.kind.value,
        "summary": agent.summary,
        "source": agent.source,
    }
