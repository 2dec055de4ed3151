"""A small convolutional network over characters, and how it learns, in numpy.

codes → embedding → one convolution → the greatest and the mean of each filter → one hidden layer → 15 sigmoids.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tasks.pipelines.sample.encoding import CHARACTERS, WIDTH
from tasks.pipelines.sample.training.dataset import OUTPUTS, Codes, Dataset, Floats

ALPHABET = len(CHARACTERS) + 1
KERNEL = 5  # characters that one filter sees
BATCH = 256


@dataclass
class Weights:
    embedding: Floats  # [38, E]
    filters: Floats  # [5 * E, F]
    filter_bias: Floats
    hidden: Floats  # [2 * F, H]
    hidden_bias: Floats
    output: Floats  # [H, 15]
    output_bias: Floats

    def arrays(self) -> list[Floats]:
        return [getattr(self, place.name) for place in fields(self)]


def initial(seed: int, embedding: int = 16, filters: int = 96, hidden: int = 192) -> Weights:
    chance = np.random.default_rng(seed)

    def layer(inputs: int, outputs: int) -> Floats:
        return chance.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(np.float32)

    def bias(outputs: int) -> Floats:
        return np.zeros(outputs, np.float32)

    return Weights(
        chance.normal(0, 0.5, (ALPHABET, embedding)).astype(np.float32),
        layer(KERNEL * embedding, filters),
        bias(filters),
        layer(2 * filters, hidden),
        bias(hidden),
        layer(hidden, len(OUTPUTS)),
        bias(len(OUTPUTS)),
    )


@dataclass
class Pass:
    """One way through the network, with what the way back needs. C is the number of characters of all names."""

    lengths: Codes  # [B]
    seen: Codes  # [C, 5]: each character with its neighbours
    windows: Floats  # [C, 5 * E]
    convolved: Floats  # [C, F]
    pooled: Floats  # [B, 2 * F]
    hidden: Floats  # [B, H]
    answer: Floats  # [B, 15]


def forward(weights: Weights, codes: Codes) -> Pass:
    """Of a name of 12 characters 12 windows are looked at, not 50: what stands left of it counts for nothing."""
    present = codes > 0
    lengths = present.sum(axis=1)
    starts = np.concatenate([[0], lengths.cumsum()[:-1]])
    padded = np.pad(codes, ((0, 0), (KERNEL // 2, KERNEL // 2)))
    seen = sliding_window_view(padded, KERNEL, axis=1)[present]
    windows = weights.embedding[seen].reshape(len(seen), -1)
    convolved = np.maximum(windows @ weights.filters + weights.filter_bias, 0)
    greatest, total = np.maximum.reduceat(convolved, starts), np.add.reduceat(convolved, starts)
    pooled = np.concatenate([greatest, total / WIDTH], axis=1)
    hidden = np.maximum(pooled @ weights.hidden + weights.hidden_bias, 0)
    answer = (1 + np.tanh((hidden @ weights.output + weights.output_bias) / 2)) / 2  # a sigmoid that cannot overflow
    return Pass(lengths, seen, windows, convolved, pooled, hidden, answer)


def backward(weights: Weights, way: Pass, truth: Floats) -> list[Floats]:
    """The gradients of the mean cross-entropy, in the order of the weights."""
    filters = weights.filters.shape[1]
    error = (way.answer - truth) / len(truth)
    to_hidden = (error @ weights.output.T) * (way.hidden > 0)
    to_pooled = to_hidden @ weights.hidden.T
    of_characters = np.repeat(np.concatenate([way.pooled[:, :filters], to_pooled], axis=1), way.lengths, axis=0)
    greatest, to_greatest, to_total = np.split(of_characters, 3, axis=1)
    to_convolved = (to_greatest * (way.convolved == greatest) + to_total / WIDTH) * (way.convolved > 0)
    to_windows = (to_convolved @ weights.filters.T).reshape(way.seen.size, -1)
    return [
        np.eye(ALPHABET, dtype=np.float32)[way.seen.ravel()].T @ to_windows,
        way.windows.T @ to_convolved,
        to_convolved.sum(axis=0),
        way.pooled.T @ to_hidden,
        to_hidden.sum(axis=0),
        way.hidden.T @ error,
        error.sum(axis=0),
    ]


@dataclass
class Adam:
    """Steps of a size of their own for each weight (Kingma and Ba, 2014)."""

    weights: list[Floats]
    steps: int = 0
    mean: list[Floats] = field(default_factory=list)
    square: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mean = [np.zeros_like(weight) for weight in self.weights]
        self.square = [np.zeros_like(weight) for weight in self.weights]

    def step(self, gradients: list[Floats], rate: float) -> None:
        self.steps += 1
        rate *= (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        for weight, gradient, mean, square in zip(self.weights, gradients, self.mean, self.square, strict=True):
            np.add(mean, 0.1 * (gradient - mean), out=mean)
            np.add(square, 0.001 * (gradient**2 - square), out=square)
            np.subtract(weight, rate * mean / (np.sqrt(square) + 1e-8), out=weight)


def train(weights: Weights, names: Dataset, rounds: int, seed: int, rate: float = 2e-3) -> None:
    """Learn in place: the names in another order in each round, in steps that become smaller."""
    chance, adam = np.random.default_rng(seed), Adam(weights.arrays())
    total, done = rounds * -(-len(names.codes) // BATCH), 0
    for _ in range(rounds):
        order = chance.permutation(len(names.codes))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            way = forward(weights, names.codes[chosen])
            gradients = backward(weights, way, names.truth[chosen])
            adam.step(gradients, rate * (1 - done / total))
            done += 1
