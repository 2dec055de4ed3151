"""The provider that asks a model server: any that speaks OpenAI's chat completions.

It runs on urllib3 and orjson alone: a pool that hundreds of greenlets can share, and no object built per token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.sdk.errors import ProviderError
from tasks.sdk.generation import Completion, Message, Usage
from tasks.worker.providers.body import Body
from tasks.worker.providers.events import EventReader, EventTooLargeError
from tasks.worker.providers.failures import CUT_SHORT, TOO_LARGE, UNREADABLE, fail
from tasks.worker.providers.settings import ProviderSettings
from tasks.worker.providers.transport import Transport
from tasks.worker.providers.wire import decode_object, encode_request, name_reason, take_choice, take_usage

# One event of a stream holds a token or a few; a megabyte is no event but a fault.
MAX_EVENT = 1024 * 1024

_PATH = "/chat/completions"


class OpenAICompatibleProvider:
    """One per process, shared by all its threads and greenlets: it keeps connections, and nothing of a request."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.model = settings.model
        self._settings = settings
        self._transport = Transport(settings)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.7,
        max_tokens: int = 1000,
        stop: Sequence[str] = (),
        model: str = "",
    ) -> Completion:
        """Ask and wait for the whole answer. Raises `ProviderError`."""
        request = encode_request(self._fields(temperature, max_tokens, stop, model), messages)
        answer = decode_object(self._transport.open("POST", _PATH, request).read())
        if not answer.get("choices"):
            raise fail(UNREADABLE, f"no choices, only {', '.join(answer)[:100]}")
        text, reason = take_choice(answer, "message")
        return Completion(text, take_usage(answer, messages, text), name_reason(reason))

    def stream(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.7,
        max_tokens: int = 1000,
        stop: Sequence[str] = (),
        model: str = "",
    ) -> AnswerStream:
        """Ask, and return when the answer begins. Raises `ProviderError` here and while it is read."""
        fields = self._fields(temperature, max_tokens, stop, model) | {
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        request = encode_request(self._without_omitted(fields), messages)
        return AnswerStream(self._transport.open("POST", _PATH, request), messages)

    def list_models(self) -> list[str]:
        """Return the names of the models that the server offers. Raises `ProviderError`."""
        listed = decode_object(self._transport.open("GET", "/models").read()).get("data")
        if not isinstance(listed, list):
            raise fail(UNREADABLE, "no list of models")
        return [str(each["id"]) for each in listed if isinstance(each, dict) and "id" in each]

    def close(self) -> None:
        """Close the idle connections."""
        self._transport.close()

    def _fields(self, temperature: float, max_tokens: int, stop: Sequence[str], model: str) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "model": model or self.model,
            "temperature": temperature,
            "max_tokens": max_tokens,
        }
        if stop:
            fields["stop"] = list(stop)
        return self._without_omitted(fields)

    def _without_omitted(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        renamed = {"max_tokens": self._settings.max_tokens_field}
        return {renamed.get(name, name): value for name, value in fields.items() if name not in self._settings.omit}


class AnswerStream:
    """An answer while it comes in. `usage` and `finish_reason` hold once it has been read, or closed."""

    def __init__(self, body: Body, messages: Sequence[Message]) -> None:
        self.usage = Usage()
        self.finish_reason = "stop"
        self._body = body
        self._messages = messages
        self._events = EventReader(MAX_EVENT)
        self._texts: list[str] = []
        self._last: Mapping[str, Any] = {}  # the latest event that counted tokens
        self._ended = False
        self._settled = False

    def __iter__(self) -> Iterator[str]:
        try:
            for data in self._data():
                if data == b"[DONE]":
                    self._ended = True
                    self._body.finish()
                    break
                if text := self._take(data):
                    self._texts.append(text)
                    yield text
            if not self._ended and not self._body.closed:
                raise self._cut_short()
        except ProviderError:
            if not self._ended:  # what breaks behind the last word has not harmed the answer
                raise
        finally:
            self.close()

    def close(self) -> None:
        """Stop the answer, give the connection back and count what was said. Safe to call twice."""
        self._body.close()
        if not self._settled:
            self._settled = True
            self.usage = take_usage(self._last, self._messages, "".join(self._texts))

    def _data(self) -> Iterator[bytes]:
        """Yield the data of every event; what follows `[DONE]` is not read."""
        try:
            for piece in self._body:
                yield from self._events.feed(piece)
        except EventTooLargeError as error:
            raise fail(TOO_LARGE, error) from error
        if self._events.flush() == b"[DONE]":  # some servers forget the empty line behind it
            yield b"[DONE]"

    def _cut_short(self) -> ProviderError:
        if self._events.count:
            return fail(CUT_SHORT, "the stream ended without a finish_reason or [DONE]")
        return fail(UNREADABLE, "not one event; does OPENAI_BASE_URL lead to the API?")

    def _take(self, data: bytes) -> str:
        event = decode_object(data)
        if event.get("usage"):
            self._last = event
        text, reason = take_choice(event, "delta")
        if reason:
            self._ended = True
            self.finish_reason = name_reason(reason)
        return text
