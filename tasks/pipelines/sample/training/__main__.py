"""Train the sample model, measure it, and write both down: `make train-sample`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from tasks.pipelines.sample.training.recipe import FULL, make

ROOT = Path(__file__).parents[4]
MODEL = Path(__file__).parents[1] / "urldemomodel.onnx"
PAGE = ROOT / "docs" / "sample-model.md"

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    make(FULL, MODEL, PAGE)
