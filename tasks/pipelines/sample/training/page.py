"""The figures of the model, as the part of docs/sample-model.md between two marks."""

from __future__ import annotations

import re

from tasks.pipelines.sample.training.measures import THRESHOLD, Figures

BEGIN, END = "<!-- figures: `make train-sample` writes these -->", "<!-- end of figures -->"


def with_figures(page: str, figures: Figures, each: int) -> str:
    table = "\n".join(lines(figures, each))
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{table}\n{END}", page, flags=re.DOTALL)


def lines(figures: Figures, each: int) -> list[str]:
    return [
        f"Over {each:,} held-out names of each family and {each * len(figures.families):,} ordinary ones:",
        "",
        f"- ROC AUC of `main`: **{figures.auc:.4f}**",
        f"- ordinary names above {THRESHOLD}: {figures.false_alarms:.1%}",
        f"- of {figures.registered} really registered names, not one of them trained on, above {THRESHOLD}: "
        f"{figures.false_alarms_registered:.1%}",
        "",
        f"| family | found: `main` above {THRESHOLD} | AUC of `main` | named: its own output is the greatest "
        "| AUC of its own output |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {family.found:.1%} | {family.auc:.4f} | {family.named:.1%} | {family.own_auc:.4f} |"
            for name, family in figures.families.items()
        ),
    ]
