"""The types of tensors: as ONNX Runtime, NumPy and the answers call them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.pipelines.description import Tensor

Array = NDArray[Any]

NUMBERS: dict[str, Any] = {
    "float": np.float32,
    "double": np.float64,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
}
STRING = "string"
_TENSOR = re.compile(r"tensor\((\w+)\)")


def tag(type_name: str) -> str:
    """What an answer of generation 1 calls a type."""
    return "Json" if type_name == STRING else type_name.capitalize()


def describe(part: Any) -> Tensor:
    """Describe an input or output of a session. Raises ValueError for what is no tensor of a type that is served."""
    found = _TENSOR.fullmatch(part.type)
    if found is None or found[1] not in (*NUMBERS, STRING):
        raise ValueError(f"{part.name} is a {part.type}; served are tensors of {', '.join((*NUMBERS, STRING))}")
    if not part.shape:
        raise ValueError(f"{part.name} has no dimension; the first one must be that of the rows")
    return Tensor(part.name, found[1], tuple(each if isinstance(each, int) else None for each in part.shape))
