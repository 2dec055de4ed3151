"""Tiny models for tests, made by hand: their answers can be worked out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

WIDTH = 50
OPSET, IR = 17, 9


def summing(factor: float = 1.0, *, name: str = "main", width: int = WIDTH, rows: int | str = "rows") -> bytes:
    """`text_input`, rows of `width` numbers → `main`, their sum times `factor`; `half`, half of it."""
    nodes = [
        helper.make_node("ReduceSum", ["text_input", "axes"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["sum", "factor"], [name]),
        helper.make_node("Mul", [name, "two"], ["half"]),
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
        helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor]),
        helper.make_tensor("two", TensorProto.FLOAT, [1], [0.5]),
    ]
    return model(
        nodes,
        [number("text_input", [rows, width])],
        [number(name, [rows, 1]), number("half", [rows, 1])],
        constants,
    )


def doubling(source: str, target: str) -> bytes:
    """`source`, a number a row → `target`, twice that: a second step."""
    nodes = [helper.make_node("Add", [source, source], [target])]
    return model(nodes, [number(source, ["rows", 1])], [number(target, ["rows", 1])])


def with_unknown_operator() -> bytes:
    nodes = [helper.make_node("Levitate", ["text_input"], ["main"], domain="com.example")]
    return model(
        nodes, [number("text_input", ["rows", WIDTH])], [number("main", ["rows", WIDTH])], domain="com.example"
    )


def with_weights_in(file: str) -> bytes:
    """A model that says that its weights are in a file beside it."""
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL, dims=[4])
    for key, value in (("location", file), ("offset", "0"), ("length", "16")):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    nodes = [helper.make_node("Add", ["text_input", "w"], ["main"])]
    shape: list[int | str] = ["rows", 4]
    return model(nodes, [number("text_input", shape)], [number("main", shape)], [weights], check=False)


def number(name: str, shape: Sequence[int | str]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: Sequence[Any] = (),
    domain: str = "",
    *,
    check: bool = True,
) -> bytes:
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), initializer=list(constants))
    opsets = [helper.make_opsetid("", OPSET), *([helper.make_opsetid(domain, 1)] if domain else [])]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=IR)
    if check and not domain:
        onnx.checker.check_model(made)
    return bytes(made.SerializeToString())
