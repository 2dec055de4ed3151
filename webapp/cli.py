"""`flask keys`: make, list and revoke API keys."""

from __future__ import annotations

from typing import Any

import click
import orjson
from flask.cli import AppGroup
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from webapp.auth.keys import KeyRecord
from webapp.services import services


class KeysGroup(AppGroup):
    """The commands on keys. All of them need Redis."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RedisError as error:
            raise click.ClickException(f"Redis, where the keys are kept, does not answer: {error}") from error


keys = KeysGroup("keys", help="Make, list and revoke API keys.")

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")


@keys.command()
@click.option("--name", required=True, help="Whose key it is, for people and logs.")
@as_json
def create(name: str, as_json: bool) -> None:
    """Make a key. It is shown once: only its hash is kept."""
    record, key = services().keys.create(name)
    if as_json:
        _write(_public(record) | {"key": key})
        return
    click.echo(f"A key for {record.name} (id {record.id}). It is not shown again:", err=True)
    click.echo(key)


@keys.command("list")
@as_json
def list_keys(as_json: bool) -> None:
    """List the keys there are."""
    records = services().keys.all()
    if as_json:
        _write([_public(record) for record in records])
        return
    _print_table(records)


@keys.command()
@click.argument("key_id")
@as_json
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the key with this id. Web processes forget it within 5 seconds."""
    if not services().keys.revoke(key_id):
        raise click.ClickException(f"There is no key with the id {key_id}; `flask keys list` shows them.")
    if as_json:
        _write({"id": key_id, "revoked": True})
    else:
        click.echo(f"Revoked {key_id}.")


def _public(record: KeyRecord) -> dict[str, Any]:
    return {"id": record.id, "name": record.name, "created_at": record.created_at}


def _write(document: Any) -> None:
    click.echo(orjson.dumps(document))


def _print_table(records: list[KeyRecord]) -> None:
    table = Table("id", "name", "created", title="API keys" if records else "There are no API keys")
    for record in records:
        # As text: square brackets in a name are no markup.
        table.add_row(record.id, Text(record.name), record.created_at.strftime("%Y-%m-%d %H:%M UTC"))
    Console().print(table)
