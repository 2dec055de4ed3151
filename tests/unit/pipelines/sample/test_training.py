"""That the sample model can be made again, from data that is made here."""

from __future__ import annotations

from itertools import islice
from random import Random

import numpy as np
import pytest
from onnxruntime import InferenceSession

from tasks.pipelines.sample.encoding import encode
from tasks.pipelines.sample.training import network
from tasks.pipelines.sample.training.dataset import FAMILIES, ORDINARY, OUTPUTS, Codes, Floats, dataset
from tasks.pipelines.sample.training.export import INPUT, exported
from tasks.pipelines.sample.training.measures import auc
from tasks.pipelines.sample.training.recipe import Recipe, train
from tasks.pipelines.sample.training.vocabulary import Vocabulary, part_of, vocabulary


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return vocabulary()


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others() -> None:
    first, again, other = (train(Recipe(each=5, rounds=1, held_out=0, seed=seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_no_word_and_no_seed_is_on_both_sides(words: Vocabulary) -> None:
    trained, held_out = words.part("training"), words.part("hold-out")
    assert not {part_of(word) for word in held_out.english} & {part_of(word) for word in trained.english}
    sides = [dataset(words, part, each=10) for part in ("training", "hold-out")]
    tails = [{tuple(codes[-8:]) for codes in side.codes[side.families == "banjori"].tolist()} for side in sides]
    assert [len(side) for side in tails] == [2, 2]  # a campaign has one tail
    assert not tails[0] & tails[1]


def test_a_dataset_says_of_each_name_what_it_is(words: Vocabulary) -> None:
    names = dataset(words, "training", each=3)
    assert len(names.codes) == 3 * 14 * 2
    verdict = names.truth[:, OUTPUTS.index("main")]
    assert (verdict == (names.families != ORDINARY)).all()
    assert names.truth.sum(axis=1).tolist() == [2.0] * 42 + [0.0] * 42  # a family's own output and the verdict


@pytest.mark.parametrize("family", FAMILIES)
def test_a_campaign_is_the_same_again_from_its_seed(family: str, words: Vocabulary) -> None:
    first, again, other = (
        list(islice(FAMILIES[family](Random(seed), words.english), 10)) for seed in ("one", "one", "two")
    )
    assert first == again != other


def test_gradients_are_those_that_small_steps_show() -> None:
    weights = network.initial(3, embedding=3, filters=4, hidden=5)
    for number, array in enumerate(weights.arrays()):
        setattr(weights, list(vars(weights))[number], array.astype(np.float64))
    codes = np.array([[0] * 46 + [5, 6, 7, 8], [0] * 40 + list(range(10, 20))])
    truth = np.eye(2, len(OUTPUTS), dtype=np.float64)

    def loss() -> float:
        answer = network.forward(weights, codes).answer
        return float(-(truth * np.log(answer) + (1 - truth) * np.log(1 - answer)).sum() / len(codes))

    found = network.backward(weights, network.forward(weights, codes), truth)  # type: ignore[arg-type]
    for array, gradient in zip(weights.arrays(), found, strict=True):
        place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        before = array[place]
        array[place] = before + 1e-6
        above = loss()
        array[place] = before - 1e-6
        below = loss()
        array[place] = before
        assert gradient[place] == pytest.approx((above - below) / 2e-6, rel=1e-4)


def test_the_area_under_the_curve_counts_pairs_in_the_right_order() -> None:
    high, low = np.array([0.9, 0.5], np.float32), np.array([0.1, 0.5], np.float32)
    assert auc(high, low) == pytest.approx(3.5 / 4)
    assert auc(low, high) == pytest.approx(0.5 / 4)


def test_the_exported_model_says_what_the_network_says_whatever_else_is_in_the_batch() -> None:
    weights = network.initial(5)
    names = ["a", "-09az", "y" * 50, "example.com", "xn--bcher-kva"]
    codes = np.array([encode(name) for name in names])
    session = InferenceSession(exported(weights).SerializeToString())

    def answers(rows: Codes) -> Floats:
        return np.concatenate(session.run(list(OUTPUTS), {INPUT: rows.astype(np.float32)}), axis=1)

    together = answers(codes)
    assert np.allclose(together, network.forward(weights, codes).answer, atol=1e-5)
    assert np.allclose(together, np.concatenate([answers(row[None]) for row in codes]), atol=1e-6)
