"""What the benchmarks of inference run: a session as a worker has it, and a model made for batches."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
from onnx import TensorProto, helper

from tests.support.onnx_models import WIDTH, model, number

SIDE = 1280  # of its square matrices: some 30 ms of a core in the README's table, so 20 on one faster by half


def session_of(source: bytes | Path) -> onnxruntime.InferenceSession:
    """On one thread, as a worker runs it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def costly(side: int = SIDE) -> bytes:
    """`text_input`, rows of numbers → `main`, a number a row. A run costs the same for 1 row and for 32.

    A product of two matrices that does not depend on the rows, in a way that ONNX Runtime cannot see.
    """
    nodes = [
        helper.make_node(
            "ConstantOfShape", ["shape"], ["weights"], value=helper.make_tensor("", TensorProto.FLOAT, [1], [1 / side])
        ),
        helper.make_node("ReduceSum", ["text_input"], ["all"], keepdims=0),
        helper.make_node("Mul", ["all", "zero"], ["nothing"]),
        helper.make_node("Add", ["weights", "nothing"], ["moved"]),
        helper.make_node("MatMul", ["moved", "weights"], ["product"]),
        helper.make_node("ReduceMean", ["product"], ["mean"], keepdims=0),
        helper.make_node("ReduceSum", ["text_input", "axes"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["sum", "mean"], ["main"]),
    ]
    constants = [
        helper.make_tensor("shape", TensorProto.INT64, [2], [side, side]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
    ]
    return model(nodes, [number("text_input", ["rows", WIDTH])], [number("main", ["rows", 1])], constants)
