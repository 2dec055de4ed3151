"""From a body to the arrays that a model is run on. Everything that is wrong with an input is found here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from tasks.pipelines.description import Tensor
from tasks.pipelines.runtime.tensors import NUMBERS, STRING, Array
from tasks.sdk import AgentError

GENERIC = "tensor"  # what the only input of a model may be called by whoever does not know its name


class InputError(AgentError):
    """The caller's input is not one that the pipeline takes."""

    code = "invalid_input"


@dataclass(frozen=True)
class Rows:
    """The inputs by their names, each with `count` rows. `records` says that the body was a list of records."""

    arrays: dict[str, Array]
    count: int
    records: bool = False
    original: bytes = b""  # JSON, of a body that was one object


def read_json(body: bytes, inputs: Sequence[Tensor]) -> Rows:
    """Read an object of columns, or a list of records."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"The body is not valid JSON (NaN and Infinity are none): {error}") from error
    if isinstance(document, dict):
        return _checked(document, inputs, to_array, original=body)
    if not isinstance(document, list):
        raise InputError("The body must be an object of inputs, or a list of records.")
    columns = _columns(document, inputs)
    return _checked(columns, inputs, to_array, records=True)


def _columns(records: Sequence[Any], inputs: Sequence[Tensor]) -> dict[str, list[Any]]:
    if not records:
        raise InputError("The input has no rows.")
    names = [tensor.name for tensor in inputs]
    for index, record in enumerate(records):
        if not isinstance(record, dict):
            raise InputError(f"Record {index} is not an object.")
        if len(record) != len(names) or not all(name in record for name in names):
            known = names if record.keys() != {GENERIC} or len(names) > 1 else [GENERIC]
            _check_names(record, known, f"Record {index}")
    if len(names) == 1:
        name = names[0] if names[0] in records[0] else GENERIC
        try:
            return {names[0]: [record[name] for record in records]}
        except KeyError as error:
            raise InputError(f"The records call their field by several names, {error} among them.") from error
    return {name: [record[name] for record in records] for name in names}


def read_columns(columns: Mapping[str, Any], inputs: Sequence[Tensor], convert: Callable[[Any, Tensor], Array]) -> Rows:
    """Read columns of another kind, which `convert` makes arrays of."""
    return _checked(columns, inputs, convert, records=True)


def _checked(
    columns: Mapping[str, Any],
    inputs: Sequence[Tensor],
    convert: Callable[[Any, Tensor], Array],
    *,
    records: bool = False,
    original: bytes = b"",
) -> Rows:
    names = [tensor.name for tensor in inputs]
    if len(names) == 1 and list(columns) == [GENERIC]:
        columns = {names[0]: columns[GENERIC]}
    _check_names(columns, names, "The input")
    arrays = {tensor.name: _fit(convert(columns[tensor.name], tensor), tensor) for tensor in inputs}
    counts = {len(array) for array in arrays.values()}
    if counts == {0}:
        raise InputError("The input has no rows.")
    if len(counts) > 1:
        told = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
        raise InputError(f"All inputs must have the same number of rows, but {told}.")
    return Rows(arrays, counts.pop(), records, original)


def _check_names(given: Mapping[str, Any], names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(f"{what} lacks the field {missing[0]}.")
    unknown = [name for name in given if name not in names]
    if unknown:
        raise InputError(f"{what} has the field {unknown[0][:60]}, which is unknown; known are: {', '.join(names)}.")


def to_array(value: Any, tensor: Tensor) -> Array:
    """An array of JSON values, of the tensor's type."""
    if not isinstance(value, list):
        raise InputError(f"{tensor.name} must be a list of rows.")
    try:
        found = np.array(value, dtype=object if tensor.type == STRING else None)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{tensor.name} is ragged: its rows are of different lengths.") from error
    return to_type(found, tensor) if found.size else found.astype(NUMBERS.get(tensor.type, object))


def to_type(found: Array, tensor: Tensor) -> Array:
    """The array as the tensor's type, with nothing lost but digits of a float."""
    if tensor.type == STRING:
        if not all(isinstance(each, str) for each in found.flat):
            raise InputError(f"{tensor.name} must hold strings only.")
        return found
    if found.dtype.kind == "O":
        _refuse_objects(found, tensor)
    if found.dtype.kind in "US":
        raise InputError(f"{tensor.name} must hold numbers, but holds strings.")
    return _cast(found, tensor)


def _refuse_objects(found: Array, tensor: Tensor) -> None:
    kinds = {type(each) for each in found.flat}
    if type(None) in kinds:
        raise InputError("tensor values may not be null")
    if list in kinds:
        raise InputError(f"{tensor.name} is ragged: its rows are of different lengths.")
    if not kinds <= {int, float, bool}:
        raise InputError(f"{tensor.name} must hold numbers, but holds {min(kind.__name__ for kind in kinds)}.")
    raise InputError(f"{tensor.name} holds a number that is too large.")


def _cast(found: Array, tensor: Tensor) -> Array:
    wanted = np.dtype(NUMBERS[tensor.type])
    if (found.dtype.kind == "b") != (wanted.kind == "b"):
        raise InputError(f"{tensor.name} must hold {'true or false' if wanted.kind == 'b' else 'numbers'} only.")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise InputError("tensor values may not be NaN or infinite")
    with np.errstate(all="ignore"):
        cast = found.astype(wanted)
    if wanted.kind == "f":
        if not np.isfinite(cast).all():
            raise InputError(f"{tensor.name} holds a number that is too large.")
    elif not np.array_equal(cast, found):
        raise InputError(f"{tensor.name} holds a number that is no {tensor.type}.")
    return cast


def _fit(array: Array, tensor: Tensor) -> Array:
    """Hold the shape of the rows against the model's. A value is a row of one."""
    if len(array) == 0:
        return array
    if array.ndim == 1 and tensor.shape[1:] in ((1,), (None,)):
        return array.reshape(-1, 1)
    wanted, given = tensor.shape[1:], array.shape[1:]
    fits = len(wanted) == len(given) and all(size in (None, found) for size, found in zip(wanted, given, strict=True))
    if array.ndim == 0 or not fits:
        raise InputError(f"Each row of {tensor.name} must have the shape {_shown(wanted)}, but has {_shown(given)}.")
    return array


def _shown(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('any' if each is None else str(each) for each in shape)}]"
