"""Inputs in the shape of the tutorial's samples: rows of codes, of names that a generator made."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from tasks.pipelines.sample.encoding import encode
from tasks.pipelines.sample.training.letters import locky

MODEL = Path(__file__).parents[2] / "tasks" / "pipelines" / "sample" / "urldemomodel.onnx"


def sample(rows: int) -> dict[str, list[list[int]]]:
    """The body of a request for so many rows: always the same ones."""
    return {"text_input": [encode(name) for name in islice(locky(Random(rows)), rows)]}


def direct(body: dict[str, list[list[int]]]) -> dict[str, NDArray[Any]]:
    """What the sample model says of a body when ONNX Runtime is asked without a service between."""
    session = InferenceSession(MODEL)
    names = [output.name for output in session.get_outputs()]
    answers = session.run(names, {"text_input": np.array(body["text_input"], np.float32)})
    return {name: np.asarray(answer)[:, 0] for name, answer in zip(names, answers, strict=True)}
