"""Compose the offline provider's answer: decide what is text and what is asked, rank, and say it plainly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from tasks.sdk.generation import Message
from tasks.worker.providers.questions import Question, understand
from tasks.worker.providers.ranking import find_answers, summarise
from tasks.worker.providers.reading import Reading, read
from tasks.worker.providers.sentences import join_sentences, split_sentences
from tasks.worker.providers.stopwords import word_set
from tasks.worker.providers.words import fold

ABOUT = "This is the offline provider: not a language model, it only finds sentences in what it was given."
GREETING = f"Hello. {ABOUT} Send a text, or ask about something said earlier."
NO_TEXT = f"There is no text here to find an answer in. {ABOUT}"
NOT_SAID = f"Nothing said so far answers that. {ABOUT}"
NO_MATCH = "Nothing in the text matches"

_NOTICES = (GREETING, NO_TEXT, NOT_SAID, NO_MATCH)

_GREETINGS = word_set("""
hello hi hey hiya howdy greetings good morning afternoon evening night day thanks thank thx cheers bye goodbye ok okay
yes no please welcome there you so much very how are doing nice to meet hallo guten tag morgen danke bonjour salut
merci hola gracias buenos dias ciao grazie ola obrigado hoi dank
привет здравствуите спасибо 你好 谢谢 こんにちは ありがとう 안녕하세요
""")

# A greeting is a line; a book is not searched to find that out.
_GREETING_LINE = 100

# A greeting is short; five words that happen to be in the list are not yet a text.
_LONGEST_GREETING = 5

# From this many statements on, a message in a chat is a text of its own and not a question about the others.
_OWN_TEXT = 3

# So many sentences are looked at to see that.
_LOOKED_AT = 20

# How much of a focus is quoted back when nothing matches it.
_QUOTED = 80


def compose_answer(messages: Sequence[Message]) -> str:
    """Answer the last user message from the others."""
    said = [message.content for message in messages if message.role == "user" and message.content.strip()]
    replies = [message.content for message in messages if message.role == "assistant"]
    if not said:
        return GREETING
    *texts, last = said
    if replies and _is_greeting(last):
        return GREETING
    if texts and not (replies and _count_statements(last) >= _OWN_TEXT):
        return _answer_chat(texts, replies, last) if replies else _answer_about(read(texts), last)
    return _answer_alone(last)


def _answer_alone(text: str) -> str:
    """Answer a single message: a text to sum up, which may bring its own question."""
    if _is_greeting(text):
        return GREETING
    reading = read([text])
    asked = [line.sentence for line in (reading.lines[:1] + reading.lines[-1:]) if line.sentence.asks]
    if all(line.sentence.asks for line in reading.lines):
        return NO_TEXT
    return _answer_about(reading, asked[0].text) if asked else _sum_up(reading)


def _answer_about(reading: Reading, asked: str) -> str:
    """Answer a question about a text; when nothing matches, say so and tell what the text does say."""
    question = understand(asked, reading.language)
    found = [] if question.empty else find_answers(reading, question)
    if found:
        return _quote(reading, found)
    summary = _sum_up(reading, question)
    return summary if question.empty or summary == NO_TEXT else f"{NO_MATCH} “{_shorten(asked)}”. It says: {summary}"


def _answer_chat(texts: Sequence[str], replies: Sequence[str], asked: str) -> str:
    """Answer from what the user said, then from what was replied, or admit that nothing matches."""
    own = read(texts)
    question = understand(asked, own.language)
    if question.summary:
        return _sum_up(own, question)
    for reading in (own, read(reply for reply in replies if not reply.startswith(_NOTICES))):
        found = [] if question.empty else find_answers(reading, question)
        if found:
            return _quote(reading, found)
    return NOT_SAID


def _sum_up(reading: Reading, question: Question | None = None) -> str:
    chosen = summarise(reading, question.wanted if question else None)
    return _quote(reading, chosen) if chosen else NO_TEXT


def _quote(reading: Reading, chosen: Sequence[int]) -> str:
    return join_sentences([reading.lines[at].sentence for at in chosen])


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else f"{line[:_QUOTED].rstrip()}…"


def _count_statements(text: str) -> int:
    return sum(sentence.ends and not sentence.asks for sentence in islice(split_sentences(text), _LOOKED_AT))


def _is_greeting(text: str) -> bool:
    if len(text) > _GREETING_LINE:
        return False
    words = "".join(each if each.isalnum() else " " for each in fold(text)).split()
    return len(words) <= _LONGEST_GREETING and all(word in _GREETINGS for word in words)
