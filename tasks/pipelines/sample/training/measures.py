"""How good the model is on names that it has not seen, by the exported file itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tasks.pipelines.sample.encoding import encode
from tasks.pipelines.sample.training.dataset import FAMILIES, ORDINARY, OUTPUTS, VERDICT, Codes, Dataset, Floats
from tasks.pipelines.sample.training.vocabulary import Vocabulary

THRESHOLD = 0.5
Predict = Callable[[Codes], Floats]


@dataclass(frozen=True)
class FamilyFigures:
    auc: float  # of the verdict: this family against ordinary names
    found: float  # share whose verdict is above the threshold
    named: float  # share whose own output is the greatest of the families' outputs
    own_auc: float  # of the family's own output: this family against all others and ordinary names


@dataclass(frozen=True)
class Figures:
    auc: float  # of the verdict: all families against ordinary names
    false_alarms: float  # share of ordinary names above the threshold
    false_alarms_registered: float  # the same of names that are really registered
    registered: int
    families: dict[str, FamilyFigures]


def measure(predict: Predict, names: Dataset, words: Vocabulary) -> Figures:
    """Over names and words that were held out."""
    answers = predict(names.codes)
    verdict = answers[:, OUTPUTS.index(VERDICT)]
    ordinary = verdict[names.families == ORDINARY]
    registered = np.array([encode(name) for name in words.registered])
    return Figures(
        auc(verdict[names.families != ORDINARY], ordinary),
        share_above(ordinary),
        share_above(predict(registered)[:, OUTPUTS.index(VERDICT)]),
        len(registered),
        {family: of_family(family, answers, names) for family in FAMILIES},
    )


def of_family(family: str, answers: Floats, names: Dataset) -> FamilyFigures:
    its, ordinary = names.families == family, names.families == ORDINARY
    verdict, own = answers[:, OUTPUTS.index(VERDICT)], answers[:, OUTPUTS.index(family)]
    greatest = np.delete(answers, OUTPUTS.index(VERDICT), axis=1).max(axis=1)
    return FamilyFigures(
        auc(verdict[its], verdict[ordinary]),
        share_above(verdict[its]),
        float((own == greatest)[its].mean()),
        auc(own[its], own[~its]),
    )


def share_above(answers: Floats) -> float:
    return float((answers > THRESHOLD).mean())


def auc(positive: Floats, negative: Floats) -> float:
    """The chance that a positive ranks above a negative (the area under the ROC curve); ties count half."""
    _, place, count = np.unique(np.concatenate([positive, negative]), return_inverse=True, return_counts=True)
    rank = (count.cumsum() - (count - 1) / 2)[place[: len(positive)]]
    return float((rank.sum() - len(positive) * (len(positive) + 1) / 2) / len(positive) / len(negative))
