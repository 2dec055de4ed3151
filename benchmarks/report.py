"""What is shown of a benchmark: a table, a file of JSON, a picture, and its part of the README."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.case import SLIPWAY, Case, Goal, Outcome
from benchmarks.machine import describe

HERE = Path(__file__).parent
README = HERE / "README.md"
BEGIN, END = "<!-- results: written by `make bench` -->\n", "<!-- end of the results -->\n"
# Of the picture, in pixels.
WIDTH, NAMES, ROW = 640, 230, 26


def document(outcome: Outcome) -> dict[str, Any]:
    """All that is known of a run, as JSON values."""
    case = outcome.case
    return {
        "benchmark": case.name,
        "title": case.title,
        "machine": describe() | {"load_averages": outcome.loads},
        "broken": outcome.broken,
        "goals": [_goal(outcome, goal) for goal in case.goals],
        "medians": outcome.medians(),
        "rounds": outcome.rounds,
        "plot": case.plot,
    }


def _goal(outcome: Outcome, goal: Goal) -> dict[str, Any]:
    measured = outcome.measured(goal)
    return {
        "name": goal.name,
        "at_least": goal.at_least,
        "aim": goal.aim,
        "less_is_better": goal.at_most,
        "unit": goal.unit,
        "measured": measured,
        "verdict": goal.verdict(measured),
    }


def write(found: Mapping[str, Any], folder: Path) -> None:
    """Write the JSON and the picture of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, default=str)
    (folder / f"{found['benchmark']}.json").write_text(text + "\n")
    (folder / f"{found['benchmark']}.svg").write_text(picture(found))


def table(found: Mapping[str, Any]) -> str:
    """A run for the terminal."""
    names = list(dict.fromkeys(name for figures in found["medians"].values() for name in figures))
    rows = [["", *names]]
    rows += [[who, *(_number(figures.get(name)) for name in names)] for who, figures in found["medians"].items()]
    goals = [["", "at least", "aim", "measured", ""]]
    goals += [[goal["name"], *_asked(goal), _shown(goal["measured"], goal), goal["verdict"]] for goal in found["goals"]]
    broken = [f"{name}: {what}" for name, what in found["broken"].items()]
    return "\n".join([*_aligned(rows), "", *_aligned(goals), *broken])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        yield "  ".join(
            [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        )


def picture(found: Mapping[str, Any]) -> str:
    """A bar for each contender."""
    bars = {who: figures[found["plot"]] for who, figures in found["medians"].items() if found["plot"] in figures}
    longest, height = max(bars.values(), default=0) or 1, ROW * (len(bars) + 1) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="13" font-family="Arial">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="8" y="18" font-weight="bold">{escape(found["title"])}: {escape(found["plot"])}</text>',
    ]
    for number, (who, value) in enumerate(bars.items(), 1):
        top, width = number * ROW + 4, (WIDTH - NAMES - 80) * value / longest
        color = "#1f6feb" if who == SLIPWAY else "#9aa4b1"
        parts += [
            f'<text x="{NAMES - 8}" y="{top + 15}" text-anchor="end">{escape(who)}</text>',
            f'<rect x="{NAMES}" y="{top}" width="{width:.1f}" height="{ROW - 6}" fill="{color}"/>',
            f'<text x="{NAMES + width + 6:.1f}" y="{top + 15}">{_number(value)}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def update_readme(cases: Iterable[Case], folder: Path) -> None:
    """Put the newest results into the README."""
    found = [json.loads(path.read_text()) for case in cases if (path := folder / f"{case.name}.json").exists()]
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{_markdown(found)}\n{END}{rest.partition(END)[2]}")


def _markdown(found: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| benchmark | | at least | aim | measured | |", "|---|---|---|---|---|---|"]
    for each in found:
        for goal in each["goals"]:
            cells = [
                f"`{each['benchmark']}`",
                goal["name"],
                *_asked(goal),
                _shown(goal["measured"], goal),
                goal["verdict"],
            ]
            lines.append("| " + " | ".join(cells) + " |")
    for each in found:
        lines += ["", f"### {each['benchmark']}: {each['title']}", "", *_figures(each)]
    return "\n".join(lines) + "\n"


def _figures(each: Mapping[str, Any]) -> list[str]:
    names = list(dict.fromkeys(name for figures in each["medians"].values() for name in figures))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for who, figures in each["medians"].items():
        lines.append(f"| {who} | " + " | ".join(_number(figures.get(name)) for name in names) + " |")
    machine = each["machine"]
    told = f"{machine['measured_at']}, {machine['cores']} cores of {machine['processor']}, Python {machine['python']}"
    loads = ", ".join(map(str, machine["load_averages"]))
    return [*lines, "", f"{told}; load averages {loads}. ![{each['plot']}](results/{each['benchmark']}.svg)"]


def _asked(goal: Mapping[str, Any]) -> list[str]:
    sign = "≤ " if goal["less_is_better"] else "≥ "
    return [sign + _shown(goal["at_least"], goal), _shown(goal["aim"], goal) if goal["aim"] is not None else ""]


def _shown(value: float | None, goal: Mapping[str, Any]) -> str:
    return "-" if value is None else f"{_number(value)}{goal['unit']}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
