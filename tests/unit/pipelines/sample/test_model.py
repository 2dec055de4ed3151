"""The model in the repository does what its page says."""

from __future__ import annotations

import re

import numpy as np
import pytest
from onnxruntime import InferenceSession

from tasks.pipelines.sample.encoding import encode
from tasks.pipelines.sample.training.__main__ import MODEL, PAGE
from tasks.pipelines.sample.training.dataset import OUTPUTS, dataset
from tasks.pipelines.sample.training.measures import Figures, measure
from tasks.pipelines.sample.training.recipe import runner
from tasks.pipelines.sample.training.vocabulary import vocabulary

MARGIN = 0.05  # of a share over all names
MARGIN_OF_A_FAMILY = 0.15  # its names come from 30 campaigns, and some campaigns are harder than others


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Over names that nobody measured on: another draw from what was held out."""
    words = vocabulary()
    return measure(runner(MODEL), dataset(words, "hold-out", each=150, draw=1), words.part("hold-out"))


def on_the_page(pattern: str) -> float:
    found = re.search(pattern, PAGE.read_text(encoding="utf-8"))
    assert found is not None, pattern
    return float(found[1])


def test_its_inputs_and_outputs_are_the_tutorials() -> None:
    session = InferenceSession(MODEL)
    assert [(each.name, each.type, each.shape) for each in session.get_inputs()] == [
        ("text_input", "tensor(float)", ["N", 50])
    ]
    assert [(each.name, each.type, each.shape) for each in session.get_outputs()] == [
        (name, "tensor(float)", ["N", 1])
        for name in (
            *("banjori", "corebot", "cryptolocker", "dircrypt", "gozi", "kraken", "locky", "main", "matsnu"),
            *("pykspa", "qakbot", "ramdo", "ramnit", "simda", "suppobox"),
        )
    ]
    assert OUTPUTS[7] == "main"


def test_it_is_small_enough_for_the_repository() -> None:
    assert MODEL.stat().st_size < 2_000_000


def test_the_figures_on_its_page_hold_on_fresh_names(figures: Figures) -> None:
    assert figures.auc == pytest.approx(on_the_page(r"ROC AUC of `main`: \*\*([0-9.]+)\*\*"), abs=MARGIN)
    assert 100 * figures.false_alarms == pytest.approx(on_the_page(r"ordinary names above 0.5: ([0-9.]+)%"), abs=5)
    assert 100 * figures.false_alarms_registered == pytest.approx(on_the_page(r"above 0.5: ([0-9.]+)%\n\n"), abs=1)


def test_each_family_is_found_as_often_as_the_page_says(figures: Figures) -> None:
    said = {name: on_the_page(rf"\| {name} \| ([0-9.]+)%") / 100 for name in figures.families}
    found = {name: family.found for name, family in figures.families.items()}
    assert found == pytest.approx(said, abs=MARGIN_OF_A_FAMILY)


@pytest.mark.parametrize(("name", "made_up"), [("github.com", False), ("xqvkjtwypdhfbn.com", True)])
def test_its_verdict_is_near_one_for_a_name_that_was_made_up(name: str, made_up: bool) -> None:
    verdict = runner(MODEL)(np.array([encode(name)]))[0, OUTPUTS.index("main")]
    assert verdict > 0.95 if made_up else verdict < 0.05
