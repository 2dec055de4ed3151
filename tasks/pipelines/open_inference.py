"""The Open Inference Protocol, version 2: how it calls the types of tensors, and where it says how long its JSON is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.pipelines.description import Deployment, Tensor

# Bytes of JSON; tensors in binary follow it, in the order in which the JSON names them.
HEADER = "Inference-Header-Content-Length"
BYTES = "BYTES"
DATATYPES: Mapping[str, str] = {
    "bool": "BOOL",
    "float": "FP32",
    "double": "FP64",
    "string": BYTES,
    **{f"{sign}int{bits}": f"{sign}int{bits}".upper() for sign in ("", "u") for bits in (8, 16, 32, 64)},
}


def metadata(deployment: Deployment) -> dict[str, Any]:
    """What the protocol says of a model: here, of a deployed pipeline."""
    return {
        "name": deployment.name,
        "versions": [deployment.version],
        "platform": "onnxruntime_onnx",
        "inputs": list(map(_described, deployment.inputs)),
        "outputs": list(map(_described, deployment.last.outputs)),
    }


def _described(tensor: Tensor) -> dict[str, Any]:
    shape = [-1 if size is None else size for size in tensor.shape]
    return {"name": tensor.name, "datatype": DATATYPES[tensor.type], "shape": shape}
