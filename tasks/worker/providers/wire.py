"""The chat-completions protocol: what is sent, and what is understood of what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tasks.sdk.generation import Message, Usage
from tasks.worker.providers.failures import FILTERED, REPORTED, UNREADABLE, fail
from tasks.worker.providers.offline import count_prompt
from tasks.worker.providers.tokens import count_tokens

# What is logged of an answer that is not understood.
_EXCERPT = 500


def encode_request(fields: Mapping[str, Any], messages: Sequence[Message]) -> bytes:
    """Return the request as JSON. Half characters, which JSON escapes can smuggle in, become U+FFFD."""
    try:
        return orjson.dumps({**fields, "messages": [_as_json(message.role, message.content) for message in messages]})
    except orjson.JSONEncodeError:
        mended = [_as_json(message.role, _mend(message.content)) for message in messages]
        return orjson.dumps({**fields, "messages": mended})


def decode_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`. Raises `ProviderError` for anything else, and for an error object."""
    answer = _parse(data)
    if not isinstance(answer, dict):
        raise fail(UNREADABLE, f"no JSON object: {data[:_EXCERPT]!r}")
    if answer.get("error"):
        raise fail(REPORTED, str(answer["error"])[:_EXCERPT])
    return answer


def take_choice(answer: Mapping[str, Any], part: str) -> tuple[str, str | None]:
    """Return the text and the finish reason of the first choice; `part` is `message`, or `delta` in a stream."""
    choices = answer.get("choices")
    if not choices:
        return "", None
    try:
        text = (choices[0].get(part) or {}).get("content") or ""
        reason = choices[0].get("finish_reason")
    except (AttributeError, KeyError, TypeError):
        text = reason = None
    if not isinstance(text, str):
        raise fail(UNREADABLE, f"no text: {str(answer)[:_EXCERPT]}")
    if reason == "content_filter":
        raise fail(FILTERED, "finish_reason content_filter", permanent=True)
    return text, reason


def take_usage(answer: Mapping[str, Any], messages: Sequence[Message], text: str) -> Usage:
    """Return the server's own count of tokens; what it does not count is estimated, for no answer is free."""
    counted = answer.get("usage") or {}
    prompt, completion = (_positive(counted, name) for name in ("prompt_tokens", "completion_tokens"))
    return Usage(prompt or count_prompt(messages), completion or count_tokens(text))


def name_reason(reason: str | None) -> str:
    """Return `length` or `stop`: the two ends that an answer without tools can have."""
    return "length" if reason == "length" else "stop"


def _parse(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _positive(counted: Any, name: str) -> int:
    value = counted.get(name) if isinstance(counted, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _as_json(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _mend(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
