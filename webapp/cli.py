"""`flask keys`: make, list, rotate and revoke API keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import click
import orjson
from flask.cli import AppGroup
from redis.exceptions import RedisError
from rich.table import Table
from rich.text import Text

from webapp.auth import scopes
from webapp.auth.keys import MOST_LIVE, KeyRecord, TooManyKeys
from webapp.auth.principals import TIER
from webapp.services import services
from webapp.terminal import console


class KeysGroup(AppGroup):
    """The commands on keys. All of them need Redis."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RedisError as error:
            raise click.ClickException(f"Redis, where the keys are kept, does not answer: {error}") from error


keys = KeysGroup("keys", help="Make, list, rotate and revoke API keys.")

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")


class Duration(click.ParamType[timedelta]):
    """A time such as 90d, 12h or 30m."""

    name = "duration"
    units: ClassVar = {"d": "days", "h": "hours", "m": "minutes"}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it. A number without a unit could mean anything."""
        if isinstance(value, timedelta):
            return value
        read = re.fullmatch(r"([0-9]{1,5})([dhm])", value)
        if read is None:
            self.fail("write a number and d, h or m, such as 90d", param, ctx)
        return timedelta(**{self.units[read[2]]: int(read[1])})


@keys.command()
@click.option("--name", required=True, help="Whose key it is, for people and logs.")
@click.option(
    "--scope",
    "wanted",
    multiple=True,
    type=click.Choice(scopes.ALL),
    help=f"What it may do; may be given several times. Without it: {', '.join(sorted(scopes.USUAL))}.",
)
@click.option("--expires", type=Duration(), help="How long it is valid, such as 90d; for ever without it.")
@click.option("--tier", default=TIER, show_default=True, help="Which of the limits in RATE_LIMITS apply to it.")
@as_json
def create(name: str, wanted: tuple[str, ...], expires: timedelta | None, tier: str, as_json: bool) -> None:
    """Make a key. It is shown once: only its hash is kept."""
    record, key = services().keys.create(name, scopes=wanted or scopes.USUAL, tier=tier, lifetime=expires)
    _show(record, key, as_json)


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap", type=Duration(), default="1d", show_default=True, help="How long the old key goes on working."
)
@click.option("--expires", type=Duration(), help="How long the new key is valid; for ever without it.")
@as_json
def rotate(key_id: str, overlap: timedelta, expires: timedelta | None, as_json: bool) -> None:
    """Make a second key for the same client. What it owns stays its own, and the old key ends after a while."""
    try:
        record, key = services().keys.rotate(key_id, overlap, expires)
    except KeyError as error:
        raise _unknown(key_id) from error
    except TooManyKeys as error:
        raise click.ClickException(f"This client has {MOST_LIVE} live keys already; revoke one first.") from error
    _show(record, key, as_json)


@keys.command("list")
@as_json
def list_keys(as_json: bool) -> None:
    """List the keys there are."""
    records, used = services().keys.all(), services().keys.used()
    if as_json:
        _write([_public(record) | {"last_used_at": used.get(record.id)} for record in records])
        return
    _print_table(records, used)


@keys.command()
@click.argument("key_id")
@as_json
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke the key with this id. Web processes forget it within 5 seconds."""
    if not services().keys.revoke(key_id):
        raise _unknown(key_id)
    if as_json:
        _write({"id": key_id, "revoked": True})
    else:
        click.echo(f"Revoked {key_id}.")


def _unknown(key_id: str) -> click.ClickException:
    return click.ClickException(f"There is no live key with the id {key_id}; `flask keys list` shows them.")


def _show(record: KeyRecord, key: str, as_json: bool) -> None:
    if as_json:
        _write(_public(record) | {"key": key})
        return
    click.echo(f"A key for {record.name} (id {record.id}). It is not shown again:", err=True)
    click.echo(key)


def _public(record: KeyRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "client": record.client,
        "name": record.name,
        "scopes": sorted(record.scopes),
        "tier": record.tier,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "expired": record.expired,
    }


def _write(document: Any) -> None:
    click.echo(orjson.dumps(document))


COLUMNS = ("id", "client", "name", "scopes", "tier", "created", "expires", "last used")


def _print_table(records: list[KeyRecord], used: dict[str, datetime]) -> None:
    # The names are data: square brackets in one are no markup.
    table = Table(*COLUMNS, title="API keys" if records else "There are no API keys")
    for record in records:
        table.add_row(
            record.id,
            record.client,
            Text(record.name),
            Text(" ".join(sorted(record.scopes))),
            Text(record.tier),
            _moment(record.created_at),
            _moment(record.expires_at) + (" (expired)" if record.expired else ""),
            _moment(used.get(record.id)),
        )
    console().print(table)


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else "never"
