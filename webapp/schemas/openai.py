"""The chat-completions protocol, as far as it is spoken here."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from webapp.schemas.document import Document
from webapp.schemas.fields import Decimal, Flag, Whole

_NOTHING: dict[str, Any] = {"type": "array", "maxItems": 0, "items": {"type": "object"}}
# What changes nothing, and how JSON Schema says so.
NEUTRAL: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "n": ((1,), {"type": "integer", "minimum": 1, "maximum": 1}),
    "top_p": ((1,), {"type": "number", "minimum": 1, "maximum": 1}),
    "presence_penalty": ((0,), {"type": "number", "minimum": 0, "maximum": 0}),
    "frequency_penalty": ((0,), {"type": "number", "minimum": 0, "maximum": 0}),
    "logprobs": ((False,), {"type": "boolean", "not": {"enum": [True]}}),
    "logit_bias": (({},), {"type": "object", "maxProperties": 0}),
    "tools": (([],), _NOTHING),
    "functions": (([],), _NOTHING),
    "tool_choice": (("none", "auto"), {"type": "string", "enum": ["none", "auto", None]}),
    "response_format": (
        ({"type": "text"},),
        {
            "type": "object",
            "properties": {"type": {"type": "string", "enum": ["text"]}},
            "required": ["type"],
            "additionalProperties": False,
        },
    ),
    "modalities": (
        (["text"],),
        {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string", "enum": ["text"]}},
    ),
}
# They change nothing about what an answer may be, so a provider that does not know them answers as well.
WITHOUT_EFFECT = ("user", "seed", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key")
# The developer's instructions are what older models call the system's.
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


MOST_STOPS = 4
TEXT_PART = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {"type": {"type": "string", "enum": ["text"]}, "text": {"type": "string"}},
}


class Neutral(ma.fields.Field[Any]):
    """An option that is taken as long as it changes nothing."""

    def __init__(self, values: tuple[Any, ...], described: dict[str, Any]) -> None:
        super().__init__(allow_none=True, metadata={"description": "Only what changes nothing is taken.", **described})
        self._values = values

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        # To Python, True is 1.
        if not any(value == each and isinstance(value, bool) is isinstance(each, bool) for each in self._values):
            raise ma.ValidationError("this value is not supported")
        return value


class Content(ma.fields.Field[str]):
    """A text, or a list of parts that are texts."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(_is_text(part) for part in value):
            return "".join(part["text"] for part in value)
        raise ma.ValidationError("must be a text, or a list of parts of the type text")


class OpenAIMessageSchema(ma.Schema):
    """One message."""

    role = ma.fields.String(required=True, validate=ma.validate.OneOf(list(ROLES)))
    content = Content(
        required=True,
        metadata={
            "anyOf": [{"type": "string"}, {"type": "array", "items": TEXT_PART}],
            "description": "A text, or a list of text parts.",
        },
    )
    name = ma.fields.String(allow_none=True, load_only=True, metadata={"description": "Is not used."})


class StopField(ma.fields.Field[list[str]]):
    """A text, or up to four of them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        stops = [value] if isinstance(value, str) else value
        if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(each, str) for each in stops):
            raise ma.ValidationError(f"must be a text, or a list of up to {MOST_STOPS} texts")
        return [each for each in stops if each]


class StreamOptionsSchema(ma.Schema):
    """What a stream holds beside the answer."""

    class Meta:
        """Newer clients may know more of them."""

        unknown = ma.EXCLUDE

    include_usage = Flag(
        text=False, allow_none=True, metadata={"description": "Whether the last chunk counts the tokens."}
    )


ToleratedSchema = ma.Schema.from_dict(
    {
        **{name: Neutral(*each) for name, each in NEUTRAL.items()},
        **{name: ma.fields.Raw(allow_none=True, metadata={"description": "Is not used."}) for name in WITHOUT_EFFECT},
    }
)


class ChatCompletionRequestSchema(ToleratedSchema):  # type: ignore[misc,valid-type]
    """A request for a completion."""

    model = ma.fields.String(required=True, metadata={"description": "One of `GET /v1/models`."})
    messages = ma.fields.List(
        ma.fields.Nested(OpenAIMessageSchema), required=True, validate=ma.validate.Length(min=1, max=10_000)
    )
    stream = Flag(text=False, allow_none=True)
    stream_options = ma.fields.Nested(StreamOptionsSchema, allow_none=True)
    temperature = Decimal(text=False, allow_none=True, validate=ma.validate.Range(0, 2))
    max_tokens = Whole(text=False, allow_none=True, validate=ma.validate.Range(1, 1_000_000))
    max_completion_tokens = Whole(text=False, allow_none=True, validate=ma.validate.Range(1, 1_000_000))
    stop = StopField(
        allow_none=True,
        metadata={
            "anyOf": [
                {"type": "string", "nullable": True},
                {"type": "array", "items": {"type": "string"}, "maxItems": MOST_STOPS},
            ],
            "description": f"A text, or a list of up to {MOST_STOPS}.",
        },
    )


class ChatCompletionSchema(Document):
    """A completion, or a chunk of one."""

    id = ma.fields.String(required=True)
    object = ma.fields.String(required=True)
    created = ma.fields.Integer(required=True)
    model = ma.fields.String(required=True)
    choices = ma.fields.List(ma.fields.Dict(), required=True)
    usage = ma.fields.Dict(allow_none=True)


class ModelsSchema(Document):
    """The models that a completion can be asked of."""

    object = ma.fields.String(required=True)
    data = ma.fields.List(ma.fields.Dict(), required=True)


ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": "string", "nullable": True},
                "code": {"type": "string", "nullable": True},
            },
        }
    },
}

REQUEST = {"model": "offline", "messages": [{"role": "user", "content": "What is a ramp?"}]}
COMPLETION = {
    "id": "chatcmpl-0b6f3b527a0c4a399d0b5c4a7e1f2d11",
    "object": "chat.completion",
    "created": 1768469406,
    "model": "offline",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "A slope."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9},
}
COMPLETION_EVENT = {
    "data": '{"id":"chatcmpl-0b6f3b52","object":"chat.completion.chunk","created":1768469406,"model":"offline",'
    '"choices":[{"index":0,"delta":{"content":"A ramp."},"finish_reason":null,"logprobs":null}]}'
}
MODELS = {
    "object": "list",
    "data": [{"id": "offline", "object": "model", "created": 0, "owned_by": "provider"}],
}


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
