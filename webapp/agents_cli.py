"""`flask agents`: the agents there are."""

from __future__ import annotations

import sys
from typing import Any

import click
import orjson
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tasks.sdk import Agent
from webapp.services import services

WIDTH = 200

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
    # Where there is no terminal there is no width to fit in.
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


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
