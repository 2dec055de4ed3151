"""The commands of `flask`, each loaded when it is asked for: a server runs none of them."""

from __future__ import annotations

from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup


class Commands(AppGroup):
    """Commands by their names and the modules that have them."""

    def __init__(self, modules: dict[str, str]) -> None:
        super().__init__()
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._modules})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self._modules.get(cmd_name)
        return getattr(import_module(module), cmd_name) if module else super().get_command(ctx, cmd_name)


def init_app(app: Flask, *, pipelines: bool) -> None:
    """Add the commands of this project to `app`."""
    modules = {
        "agents": "webapp.agents_cli",
        "doctor": "webapp.doctor_cli",
        "jobs": "webapp.jobs_cli",
        "keys": "webapp.cli",
    }
    app.cli = Commands(modules | ({"pipelines": "webapp.pipelines_cli"} if pipelines else {}))
