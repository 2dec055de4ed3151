"""From nothing to the model and its figures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.pipelines.sample.training import network, page
from tasks.pipelines.sample.training.dataset import OUTPUTS, Codes, Floats, dataset
from tasks.pipelines.sample.training.export import INPUT, exported
from tasks.pipelines.sample.training.measures import Figures, measure
from tasks.pipelines.sample.training.vocabulary import vocabulary

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    each: int  # names of each family to train on
    rounds: int
    held_out: int  # names of each family to measure on
    seed: int = 20


FULL = Recipe(each=8000, rounds=8, held_out=1000)


def train(recipe: Recipe) -> bytes:
    """The model file. The same recipe on the same machine gives the same bytes."""
    names = dataset(vocabulary(), "training", recipe.each)
    log.info("training on %d names, %d times", len(names.codes), recipe.rounds)
    weights = network.initial(recipe.seed)
    network.train(weights, names, recipe.rounds, recipe.seed)
    return bytes(exported(weights).SerializeToString(deterministic=True))


def make(recipe: Recipe, model: Path, document: Path) -> None:
    """Write the model, and its figures into the page that tells of it."""
    model.write_bytes(train(recipe))
    figures = figures_of(model, recipe.held_out)
    document.write_text(page.with_figures(document.read_text(encoding="utf-8"), figures, recipe.held_out))
    log.info("%s: %d bytes, ROC AUC of main %.4f", model.name, model.stat().st_size, figures.auc)


def figures_of(model: Path, held_out: int) -> Figures:
    words = vocabulary()
    return measure(runner(model), dataset(words, "hold-out", held_out), words.part("hold-out"))


def runner(model: Path) -> Callable[[Codes], Floats]:
    """The exported model as the runtime of the workers runs it."""
    from onnxruntime import InferenceSession  # noqa: PLC0415 - not needed to train

    session = InferenceSession(model)

    def predict(codes: Codes) -> Floats:
        answers = session.run(list(OUTPUTS), {INPUT: codes.astype(np.float32)})
        return np.concatenate([np.asarray(answer) for answer in answers], axis=1)

    return predict
