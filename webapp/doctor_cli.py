"""`flask doctor`: say what is wrong with this installation, and what to do."""

from __future__ import annotations

import dataclasses

import click
import orjson
from flask.cli import with_appcontext
from rich.table import Column, Table
from rich.text import Text

from webapp.doctor import Finding, State, examine
from webapp.services import services
from webapp.terminal import console

MARKS = {
    State.OK: ("✓", "green"),
    State.WARNING: ("!", "yellow"),
    State.FAULT: ("✗", "red"),
    State.UNKNOWN: ("?", "dim"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look for faults, and say how each is mended. Ends with 1 when there is one."""
    found = list(examine(services()))
    faults = sum(each.state is State.FAULT for each in found)
    if as_json:
        click.echo(orjson.dumps({"healthy": not faults, "findings": [dataclasses.asdict(each) for each in found]}))
    else:
        _print(found, faults)
    if faults:
        raise click.exceptions.Exit(1)


def _print(found: list[Finding], faults: int) -> None:
    table = Table(Column(width=1), Column("check", no_wrap=True), "found, and what to do", box=None, pad_edge=False)
    for each in found:
        mark, style = MARKS[each.state]
        said = Text(each.found)
        if each.fix:
            said.append(f"\n→ {each.fix}", style="bold")
        table.add_row(Text(mark, style=style), each.check, said)
    printer = console()
    printer.print(table)
    verdict = f"{faults} fault{'s' * (faults != 1)} found." if faults else "No fault found."
    printer.print(Text(f"\n{verdict}", style="red" if faults else "green"))
