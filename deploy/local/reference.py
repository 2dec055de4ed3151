"""`make docs`: write `docs/settings.md` and `docs/metrics.md` from the declarations of settings and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.settings import ProcessSettings
from tasks.jobs.environment import REQUIRED, Setting, declared
from tasks.jobs.settings import EngineSettings
from tasks.metrics.metric import DECLARED
from tasks.metrics.settings import MetricsSettings
from tasks.tracing.settings import TracingSettings
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.settings import WorkerSettings
from webapp.settings import WebSettings

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "settings.md"
METRICS_PAGE = DOCS / "metrics.md"

# Every settings class there is, with who reads it.
SETTINGS: dict[str, tuple[type, ...]] = {
    "Processes": (ProcessSettings,),
    "Web": (WebSettings,),
    "Jobs: web and workers must agree": (EngineSettings,),
    "Workers": (WorkerSettings,),
    "Text generation: workers": (ProviderSettings,),
    "Metrics: web and workers": (MetricsSettings,),
    "Traces: web and workers": (TracingSettings,),
}

HEAD = """\
# Settings

<!-- Written by `make docs` from the declarations in the code. Do not edit. -->

Slipway is configured by environment variables; `make run` also reads a file `.env`. Each is read once, when a process
starts; a wrong value stops the start with the variable's name. An empty variable counts as not set. Instead of any
`NAME`, `NAME_FILE` may name a file that holds the value, as secrets are mounted.

Variables that begin with `AGENT_` are handed to your agents: `AGENT_SEARCH_KEY` is `context.settings["SEARCH_KEY"]`.
"""


def settings() -> Iterator[tuple[str, Setting]]:
    """Every setting with its section."""
    for section, classes in SETTINGS.items():
        for each in classes:
            yield from ((section, one) for one in declared(each))


def variables() -> frozenset[str]:
    """The name of every variable that is read, aliases included."""
    return frozenset(name for _, each in settings() for name in (each.variable, *each.aliases))


def page() -> str:
    """The text of the reference page."""
    return HEAD + "".join(_section(title) for title in SETTINGS)


def _section(title: str) -> str:
    rows = (_row(each) for section, each in settings() if section == title)
    return f"\n## {title}\n\n| variable | default | |\n|---|---|---|\n" + "".join(rows)


def _row(each: Setting) -> str:
    names = ", ".join(f"`{name}`" for name in (each.variable, *each.aliases))
    doc = each.doc.replace("|", r"\|")
    return f"| {names} | {_default(each)} | {doc} |\n"


def _default(each: Setting) -> str:
    if each.default is REQUIRED:
        return "must be set"
    shown = _spelled(each.default)
    # A default that is a secret is no secret: it stands in the code.
    return f"`{shown}`" if shown else "empty"


def _spelled(value: object) -> str:
    """A value as it would be written in the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{each}" for name, each in value.items())
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def metrics_page() -> str:
    """The text of the page about metrics: what people wrote above the table, and the table."""
    text, begin, _ = METRICS_PAGE.read_text(encoding="utf-8").partition("| metric |")
    rows = (f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {each.doc} |\n" for each in DECLARED)
    return text + begin + " kind | labels | |\n|---|---|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    METRICS_PAGE.write_text(metrics_page(), encoding="utf-8")
