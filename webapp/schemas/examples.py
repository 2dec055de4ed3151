"""An example of what to send to an agent: from its own examples where it has some, made up where it has none."""

from __future__ import annotations

from typing import Any

import orjson

from tasks.sdk import Agent, Choice, ListOf, Param, Parameter, Record, ReturnKind, Scalar, Slot, Upload

WORD = "text"


def example_input(agent: Agent) -> dict[str, Any]:
    """What the agent needs, and what it likes to show."""
    return {each.name: example(each) for each in agent.parameters if each.required or each.param.examples}


def example_result(agent: Agent) -> Any:
    """What the agent may answer."""
    if agent.returns.kind is ReturnKind.ARTIFACT:
        return {"name": "result.pdf", "media_type": "application/pdf", "size": 18204}
    if agent.returns.record:
        return {part.name: example(part) for part in agent.returns.record.fields}
    return "The text makes three points."


def example(slot: Slot) -> Any:
    """A value that the slot takes."""
    if slot.param.examples:
        return slot.param.examples[0]
    if isinstance(slot, Parameter) and not slot.required:
        return as_json(slot.default)
    return _made_up(slot)


def _made_up(slot: Slot) -> Any:
    match slot.type:
        case Scalar(kind=plain):
            return _plain(plain, slot.param)
        case Choice(values=values):
            return values[0]
        case ListOf(item=item):
            return [example(item)] * max(1, slot.param.min_length or 0)
        case Record(fields=parts):
            return {part.name: example(part) for part in parts if part.required}
        case Upload():
            return "(a file)"


def _plain(plain: type, param: Param) -> Any:
    if plain is str:
        return _word(param)
    if plain is bool:
        return True
    low, high = param.ge, param.le
    return plain(low if low is not None else high if high is not None else 1)


def _word(param: Param) -> str:
    padded = WORD.ljust(param.min_length or 0, "x")
    return padded if param.max_length is None else padded[: param.max_length]


def as_json(value: Any) -> Any:
    """A value of an agent's file as a caller would write it: dataclasses become objects."""
    return orjson.loads(orjson.dumps(value))
