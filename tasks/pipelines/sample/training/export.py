"""The trained network as an ONNX model: `text_input` float[N, 50], and one float[N, 1] for each output."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from tasks.pipelines.sample.encoding import WIDTH
from tasks.pipelines.sample.training.dataset import OUTPUTS
from tasks.pipelines.sample.training.network import KERNEL, Weights

INPUT = "text_input"
OPSET, FORMAT = 17, 8  # old enough for every runtime in use

# The same steps as `network.forward`, over a matrix instead of a list of characters: columns that no name of the batch
# reaches are cut off first, and before its own beginning each name is held down to zero by a channel of its own.
STEPS: tuple[tuple[str, list[str], str, dict[str, Any]], ...] = (
    ("ReduceMax", [INPUT], "columns", {"axes": [0], "keepdims": 0}),
    ("Sign", ["columns"], "used", {}),
    ("ArgMax", ["used"], "first", {"axis": 0, "keepdims": 1}),
    ("Slice", [INPUT, "first", "width", "second_axis"], "names", {}),
    ("Cast", ["names"], "codes", {"to": TensorProto.INT64}),
    ("Pad", ["codes", "margin"], "padded", {}),
    ("Gather", ["embedding", "padded"], "embedded", {}),
    ("Transpose", ["embedded"], "channels", {"perm": [0, 2, 1]}),
    ("Conv", ["channels", "filters", "filter_bias"], "filtered", {}),
    ("Relu", ["filtered"], "convolved", {}),
    ("ReduceMax", ["convolved"], "greatest", {"axes": [2], "keepdims": 0}),
    ("ReduceSum", ["convolved", "third_axis"], "total", {"keepdims": 0}),
    ("Concat", ["greatest", "total"], "pooled", {"axis": 1}),
    ("Gemm", ["pooled", "hidden", "hidden_bias"], "mixed", {}),
    ("Relu", ["mixed"], "activated", {}),
    ("Gemm", ["activated", "output", "output_bias"], "logits", {}),
    ("Sigmoid", ["logits"], "answers", {}),
)
NOTHING = -1e4  # far below what a filter could make of characters


def exported(weights: Weights) -> ModelProto:
    nodes = [helper.make_node(kind, inputs, [output], **options) for kind, inputs, output, options in STEPS]
    nodes.append(helper.make_node("Split", ["answers"], list(OUTPUTS), axis=1))
    graph = helper.make_graph(
        nodes,
        "names that malware made up",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 1]) for output in OUTPUTS],
        [numpy_helper.from_array(array, name) for name, array in constants(weights).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)
    checker.check_model(model, full_check=True)
    return model


def constants(weights: Weights) -> dict[str, Any]:
    size, count = weights.embedding.shape[1], weights.filters.shape[1]
    is_nothing = np.zeros((len(weights.embedding), 1), np.float32)
    is_nothing[0] = 1
    filters = np.zeros((count, size + 1, KERNEL), np.float32)  # as Conv wants them
    filters[:, :size] = weights.filters.reshape(KERNEL, size, count).transpose(2, 1, 0)
    filters[:, size, KERNEL // 2] = NOTHING
    return vars(weights) | {
        "embedding": np.concatenate([weights.embedding, is_nothing], axis=1),
        "filters": filters,
        "hidden": np.concatenate([weights.hidden[:count], weights.hidden[count:] / WIDTH]),  # the mean of a total
        "margin": np.array([0, KERNEL // 2, 0, KERNEL // 2]),
        "width": np.array([WIDTH]),
        "second_axis": np.array([1]),
        "third_axis": np.array([2]),
    }
