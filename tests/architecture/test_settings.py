"""Every setting is declared once, documented, and read at an entry point and nowhere else."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import deploy
import tasks
import webapp
from deploy.local.reference import METRICS_PAGE, PAGE, SETTINGS, metrics_page, page, settings
from deploy.settings import ProcessSettings
from tasks.metrics.metric import DECLARED

ROOT = Path(__file__).parents[2]

# Where a process begins. Those of `deploy` begin processes, and hand the environment on or look at who
# began them; counting.py tells a library where to count, which has no other ear for it.
ENTRY_POINTS = {
    "webapp/wsgi.py",
    "tasks/worker/main.py",
    "tasks/worker/alive.py",
    "tasks/metrics/counting.py",
    "deploy/gunicorn.conf.py",
    "deploy/redis/acl.py",
    "deploy/backup.py",
    "deploy/release.py",
    "webapp/alive.py",
    "deploy/local/run.py",
    "deploy/local/install.py",
    "deploy/local/processes.py",
    "deploy/local/stopping.py",
}


def settings_modules() -> Iterator[ModuleType]:
    for package in (webapp, tasks, deploy):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith(".settings"):
                yield importlib.import_module(found.name)


def test_every_settings_class_is_in_the_reference() -> None:
    classes = {
        each
        for module in settings_modules()
        for each in vars(module).values()
        if dataclasses.is_dataclass(each) and isinstance(each, type) and each.__module__ == module.__name__
    }
    assert len(classes) >= 5
    listed = {each for group in SETTINGS.values() for each in group}
    # A base of one that is listed is there with it.
    assert {each for each in classes if not any(each in one.__mro__[1:] for one in listed)} == listed


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: make docs"


def test_the_page_about_metrics_is_up_to_date() -> None:
    assert METRICS_PAGE.read_text(encoding="utf-8") == metrics_page(), "write it anew: make docs"
    assert all(f"| `{each.name}` |" in metrics_page() for each in DECLARED)


def test_every_setting_says_what_it_is() -> None:
    for _, each in settings():
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", each.variable)
        assert each.doc.endswith("."), each.variable
        assert f"`{each.variable}`" in PAGE.read_text(encoding="utf-8")


def test_the_environment_is_read_at_entry_points_only() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for room in ("webapp", "tasks", "deploy")
        for path in (ROOT / room).rglob("*.py")
        if re.search(
            r"\bos\.(environ|getenv)\b|from os import .*\b(environ|getenv)\b", path.read_text(encoding="utf-8")
        )
    }
    assert readers == ENTRY_POINTS


def test_gunicorn_listens_where_the_reference_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # It cannot use the declarations: what it imports before it forks, gevent could not patch any more.
    documented = ProcessSettings()
    for name in ("HOST", "PORT", "WEB_CONCURRENCY", "METRICS_PORT"):
        monkeypatch.delenv(name, raising=False)
    config = runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))
    assert config["bind"] == [f"{documented.host}:{documented.port}"]
    assert documented.web_processes == 0
    assert config["workers"] >= 2
