"""The input of an agent as a marshmallow schema, made from the agent's signature."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import marshmallow as ma

from tasks.sdk import Agent, Choice, ListOf, Param, Parameter, ParameterType, Record, Scalar, Slot, Upload
from tasks.sdk.limits import broken_limits
from webapp.schemas.examples import as_json, example
from webapp.schemas.fields import Chosen, Decimal, FilePart, Flag, JsonText, Whole
from webapp.schemas.uploads import is_upload

JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


class AgentInput(ma.Schema):
    """Base of the schemas made here. A field that the agent does not know is refused, not dropped."""

    class Meta:
        """A field that is not described is an error."""

        unknown = ma.RAISE


class RecordInput(AgentInput):
    """A dataclass inside an input. It is written out where it stands, so that it can be nullable there."""

    INLINE = True


class InputSchemas:
    """The input schemas of a catalogue. Each is made once: two of one name would be two in the document."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], type[ma.Schema]] = {}

    def json(self, agent: Agent) -> ma.Schema:
        """The schema of a JSON body."""
        return self._schema(agent, text=False)

    def text(self, agent: Agent) -> ma.Schema:
        """The schema of a query string or of a multipart form."""
        return self._schema(agent, text=True)

    def _schema(self, agent: Agent, *, text: bool) -> ma.Schema:
        key = (agent.name, text)
        if key not in self._made:
            self._made[key] = AgentInput.from_dict(_fields(agent.parameters, text=text), name=_class_name(agent.name))
        return self._made[key]()


def _class_name(agent: str) -> str:
    return "".join(word.capitalize() for word in agent.replace("-", "_").split("_")) + "Input"


def _fields(parameters: tuple[Parameter, ...], *, text: bool) -> dict[str, Any]:
    return {each.name: _field(each, text=text, required=each.required) for each in parameters}


def _field(slot: Slot, *, text: bool, required: bool = True) -> ma.fields.Field[Any]:
    options = {
        "required": required,
        # Text cannot say null; whoever means it leaves the parameter out.
        "allow_none": slot.nullable and not text,
        "validate": _limits(slot.param),
        "metadata": dict(_documentation(slot)),
    }
    return _typed_field(slot.type, text, options)


def _typed_field(kind: ParameterType, text: bool, options: Mapping[str, Any]) -> ma.fields.Field[Any]:
    match kind:
        case Scalar(kind=plain):
            return _scalar_field(plain, text, options)
        case Choice(values=values):
            return Chosen(values, text=text, **options)
        case ListOf(item=item):
            return ma.fields.List(_field(item, text=text), **options)
        case Record():
            return _record_field(kind, text, options)
        case Upload():
            return FilePart(**options)


def _scalar_field(plain: type, text: bool, options: Mapping[str, Any]) -> ma.fields.Field[Any]:
    if plain is str:
        return ma.fields.String(**options)
    typed: dict[type, Callable[..., ma.fields.Field[Any]]] = {int: Whole, float: Decimal, bool: Flag}
    return typed[plain](text=text, **options)


def _record_field(record: Record, text: bool, options: Mapping[str, Any]) -> ma.fields.Field[Any]:
    schema = RecordInput.from_dict(_fields(record.fields, text=False), name=record.dataclass.__name__)
    return JsonText(ma.fields.Nested(schema), **options) if text else ma.fields.Nested(schema, **options)


def _limits(param: Param) -> Any:
    # The SDK judges the limits, so that the web side and the workers cannot disagree about them.
    def validate(value: Any) -> None:
        broken = list(broken_limits(value, param))
        if broken:
            raise ma.ValidationError(broken)

    return validate


def _documentation(slot: Slot) -> Iterator[tuple[str, Any]]:
    """Yield the OpenAPI properties that the type of the field does not tell by itself."""
    yield from _type_properties(slot)
    yield from _limit_properties(slot)
    if slot.param.description:
        yield "description", slot.param.description
    if slot.param.examples or _needs_example(slot):
        yield "example", example(slot)
    # A parameter that is null unless it is given has no default worth telling.
    if isinstance(slot, Parameter) and slot.default is not None:
        yield "default", as_json(slot.default)


def _needs_example(slot: Slot) -> bool:
    return isinstance(slot, Parameter) and slot.required and not is_upload(slot.type)


def _type_properties(slot: Slot) -> Iterator[tuple[str, Any]]:
    if isinstance(slot.type, Upload):
        yield from (("type", "string"), ("format", "binary"))
    if isinstance(slot.type, Choice):
        kinds = {type(value) for value in slot.type.values}
        if len(kinds) == 1:
            yield "type", JSON_TYPES[kinds.pop()]
        yield "enum", [*slot.type.values, *([None] if slot.nullable else [])]


def _limit_properties(slot: Slot) -> Iterator[tuple[str, Any]]:
    counted = "Items" if isinstance(slot.type, ListOf) else "Length"
    limits = {
        "minimum": slot.param.ge,
        "maximum": slot.param.le,
        f"min{counted}": slot.param.min_length,
        f"max{counted}": slot.param.max_length,
        "pattern": slot.param.pattern,
    }
    yield from ((name, limit) for name, limit in limits.items() if limit is not None)
