"""What the model server answers: an echo or a number of words, as one JSON object or as the chunks of a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_WORD = re.compile(r"\s*\S+")


@dataclass(frozen=True)
class Answer:
    """An answer before it is sent."""

    model: str
    tokens: list[str]
    finish_reason: str
    prompt_tokens: int
    with_usage: bool = True

    def as_object(self) -> bytes:
        """Return the body of a plain answer."""
        message = {"role": "assistant", "content": "".join(self.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [choice],
        }
        return orjson.dumps(answer | self._usage())

    def as_chunks(self) -> Iterator[bytes]:
        """Yield the data of a stream's chunks: one for each token, then the end, then the usage."""
        before, after = orjson.dumps(self._chunk({"content": "@"})).split(b'"@"')
        for token in self.tokens:
            yield before + orjson.dumps(token) + after
        yield orjson.dumps(self._chunk({}, self.finish_reason))
        if self.with_usage:
            yield orjson.dumps(self._chunk(None) | self._usage())

    def _chunk(self, delta: Mapping[str, str] | None, reason: str | None = None) -> dict[str, Any]:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": choices,
        }

    def _usage(self) -> dict[str, Any]:
        if not self.with_usage:
            return {}
        prompt, completion = self.prompt_tokens, len(self.tokens)
        return {
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            }
        }


def make_answer(request: Mapping[str, Any], length: int, fault: str) -> Answer:
    """Answer a request with `length` words, or with an echo when that is 0."""
    words = [f"word{number} " for number in range(length)] or _WORD.findall(_echo(request))
    limit = request.get("max_tokens") or request.get("max_completion_tokens") or len(words)
    stream_options = request.get("stream_options") or {}
    counted = not request.get("stream") or stream_options.get("include_usage", False)
    reason = "content_filter" if fault == "filter" else "length" if len(words) > limit else "stop"
    prompt = sum(len(message["content"].split()) for message in request["messages"])
    return Answer(request["model"], words[:limit], reason, prompt, with_usage=counted and fault != "no_usage")


def _echo(request: Mapping[str, Any]) -> str:
    """Say the last message back, and everything else that came with it, so that a test sees what arrived."""
    *before, last = request["messages"]
    said = "; ".join(f"{message['role']}: {message['content']}" for message in before) or "nothing"
    text = f"You said: {last['content']}\nBefore that: {said}\nAt temperature {request.get('temperature')}."
    ends = [at for stop in request.get("stop") or () if (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
