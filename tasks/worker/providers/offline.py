"""The provider that needs no key and no network: it answers with sentences that it was given.

It is not a language model. The user messages before the last one are the text, the last one is the question or the
focus; a single user message is itself the text. System messages are instructions and are not read. What the assistant
said is looked at only when nothing else matches. The same messages give the same answer: `temperature` is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.sdk.generation import Completion, Message, Usage
from tasks.worker.providers.answers import compose_answer
from tasks.worker.providers.tokens import count_tokens, cut_to_tokens, split_pieces


class OfflineProvider:
    """Rank the sentences of the messages and answer with the best."""

    model = "offline"

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.7,  # noqa: ARG002 (every provider takes it)
        max_tokens: int = 1000,
        stop: Sequence[str] = (),
        model: str = "",  # noqa: ARG002 (there is one)
    ) -> Completion:
        """Answer at once. Tokens are counted by the rule of `tokens`."""
        whole = _cut_at_stop(compose_answer(messages), stop)
        text, shortened = cut_to_tokens(whole, max(1, max_tokens))
        usage = Usage(count_prompt(messages), count_tokens(text))
        return Completion(text, usage, "length" if shortened else "stop")

    def stream(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.7,
        max_tokens: int = 1000,
        stop: Sequence[str] = (),
        model: str = "",  # noqa: ARG002
    ) -> OfflineStream:
        """Answer word by word, with the same text as `complete`."""
        return OfflineStream(self.complete(messages, temperature=temperature, max_tokens=max_tokens, stop=stop))

    def list_models(self) -> list[str]:
        """Return the names of the models there are: this one."""
        return [self.model]


class OfflineStream:
    """A finished answer, handed out word by word."""

    def __init__(self, completion: Completion) -> None:
        self.finish_reason = completion.finish_reason
        self.usage = completion.usage
        self._pieces = iter(split_pieces(completion.text))

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def close(self) -> None:
        """Say no more."""
        self._pieces = iter(())


def count_prompt(messages: Sequence[Message]) -> int:
    """Count the tokens of all messages; never 0."""
    return max(1, sum(count_tokens(message.content) for message in messages))


def _cut_at_stop(text: str, stop: Sequence[str]) -> str:
    found = [at for word in stop if word and (at := text.find(word)) >= 0]
    return text[: min(found)] if found else text
