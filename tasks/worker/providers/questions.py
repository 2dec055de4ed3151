"""What a question asks for: its terms, and the kind of answer that it wants (a time, a person, …)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.worker.providers.stopwords import ASKING, STOP_WORDS
from tasks.worker.providers.words import detect_language, find_terms, fold, stem

_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|billion|half|twice"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DAYS = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"

# For each kind of question: how it is asked (folded), and what a sentence with its answer tends to hold.
_KINDS: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "time": (
        re.compile(
            r"\b(?:when|(?:what|which) (?:year|date|day|month|time))\b"
            r"|^\W*(?:wann|quand|cuando|quando)\b|何时|什么时候|哪年|いつ"
        ),
        re.compile(
            rf"\b(?:1\d{{3}}|20\d\d)\b|\d[:.]\d\d\b|\d+[年月日号]|\b(?:{_DAYS}|ago|century|today|tomorrow|yesterday|tonight)\b"
            rf"|\b(?:{_MONTHS})\b",
            re.IGNORECASE,
        ),
    ),
    "amount": (
        re.compile(
            r"\bhow (?:many|much|long|far|tall|high|old|big|large|wide|deep|fast|heavy|often|expensive)\b"
            r"|^\W*(?:wie viele?|wie (?:lang|hoch|alt|gross|weit)|combien|cuant[oa]s?|quant[oaie]s?)\b"
            r"|多少|几|いくつ|いくら|何人"
        ),
        re.compile(rf"\d|[$€£¥%]|[一二三四五六七八九十百千万]|\b(?:{_NUMBERS})\b", re.IGNORECASE),
    ),
    "person": (
        re.compile(r"\b(?:who|whom|whose)\b|^\W*(?:wer|wem|wen|qui|quien|chi|quem)\b|谁|誰|だれ"),
        re.compile(r"[^\W\d_A-Z] [A-Z][a-z]+|^[A-Z][\w.]+ [A-Z][a-z]+"),
    ),
    "place": (
        re.compile(r"\bwhere\b|^\W*(?:wo|wohin|woher|ou|donde|dove|onde)\b|哪里|哪儿|どこ"),
        re.compile(r"\b(?:in|at|near|on|from|to|of|bei|nach|aus|en|à|au|a|da)\s+(?:\w{1,3}\s+)?[A-ZÀ-Þ]|在|で"),
    ),
    "reason": (
        re.compile(
            r"\bwhy\b|\b(?:what|which) (?:reason|cause)|^\W*(?:warum|wieso|pourquoi|por que|perche)\b|为什么|なぜ"
        ),
        re.compile(
            r"\b(?:because|since|due to|so that|reason|caused?|therefore|weil|denn|parce|porque|perché)\b|因为|から"
        ),
    ),
}

_WANTED = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}|a single) "
    r"(?:\w+ )?(?:sentences?|points?|bullets?|lines?)\b"
)
_WORDS = ("a single", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Question:
    """A question or a focus, ready to be compared with sentences."""

    terms: frozenset[str]
    answer: re.Pattern[str] | None  # what a sentence with the answer tends to hold
    wanted: int | None  # the number of sentences that it asks for
    summary: bool  # whether it names a wish and no matter, as "summarise this" does

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it to look for."""
        return not self.terms and self.answer is None


def understand(text: str, language: str) -> Question:
    """Read a question about a text that is written in `language`."""
    folded = fold(text)
    answer = next((answer for asked, answer in _KINDS.values() if asked.search(folded)), None)
    terms = frozenset(find_terms(text, detect_language(text))) - _small_words(language)
    matters = terms - {stem(word) for word in ASKING}
    # "Where is the key?" asks for a key, although "the key points" does not.
    looked_for = matters or (terms if answer else matters)
    return Question(looked_for, answer, _wanted(folded), summary=bool(terms) and not looked_for)


def _small_words(language: str) -> frozenset[str]:
    return frozenset(stem(word) for word in STOP_WORDS[language])


def _wanted(folded: str) -> int | None:
    match = _WANTED.search(folded)
    if not match:
        return None
    number = _WORDS.index(match[1]) if match[1] in _WORDS else int(match[1])
    return max(1, number)
