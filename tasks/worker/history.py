"""What was said before in a conversation, as much of it as fits into the model's context."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.jobs.conversations import Conversations, Turn
from tasks.jobs.record import Job
from tasks.sdk.generation import Message
from tasks.worker.providers.tokens import count_tokens

BYTES_A_TOKEN = 3  # of UTF-8; models take 3 to 5 for prose, about 3 for source code and for a Chinese character
FRAME = 4  # tokens that a message costs beside its text: its role and what separates it from the next


@dataclass(frozen=True)
class History:
    """Reads the conversations of this process's jobs. `context` is how many tokens the model takes in one request."""

    conversations: Conversations
    context: int

    def before(self, job: Job, beside: Sequence[Message], max_tokens: int) -> list[Message]:
        """The newest turns that fit beside the messages `beside` and an answer of `max_tokens`, the oldest first.

        Only turns that are answered: models are made for messages that take turns.
        """
        room = self.context - max_tokens - sum(estimate(message.content) for message in beside)
        messages: list[Message] = []
        for turn in self.conversations.answered_before(job.conversation, job.turn):
            room -= _tokens(turn)
            if room < 0:
                break
            messages = [*_messages(turn), *messages]
        return messages


def estimate(text: str) -> int:
    """Tokens of a message, rather too many than too few: a request over the context is refused as a whole."""
    return FRAME + max(count_tokens(text), math.ceil(len(text.encode(errors="replace")) / BYTES_A_TOKEN))


def _tokens(turn: Turn) -> int:
    return sum(estimate(message.content) for message in _messages(turn))


def _messages(turn: Turn) -> list[Message]:
    answer = [Message("assistant", turn.answer.content)] if turn.answer else []
    return [Message("user", turn.message.content), *answer]
