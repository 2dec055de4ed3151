"""Choose the sentences that answer a question, or that sum a text up. Everything here is arithmetic on words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from tasks.worker.providers.questions import Question
from tasks.worker.providers.reading import Line, Reading

MAX_ANSWERS = 3
MAX_SUMMARY = 5

# A sentence far behind the best one is about something else.
_NEAR_THE_BEST = 0.6

# A heading is no answer, but better than none.
_A_HEADING = 0.25

# What a sentence inherits of its heading's and of its predecessor's terms: "It opened in 1937" is about the bridge.
_FROM_HEADING = 0.5
_FROM_BEFORE = 0.35

# A sentence that holds the kind of thing asked for (a date for "when") is worth this much more.
_RIGHT_KIND = 1.5

# Only the best are compared with each other; a summary never needs more.
_SHORTLIST = 100

# A term that a text holds once tells less about the whole than one that it comes back to.
_SAID_ONCE = 0.4

# A term that was said counts this much the next time, so that a summary does not repeat itself.
_SAID = 0.5

# How a sentence begins that is about the one before it, and one that only goes on from it.
_POINTING = re.compile(
    r"(?:it|its|he|his|she|her|they|their|this|these|that|those|such|both|er|sie|es|dies\w{0,2}|ils?|elles?|cette|ella)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d")
_GOING_ON = re.compile(
    r"(?:however|but|and|so|also|then|thus|therefore|for example|in addition|moreover|furthermore|instead|still|yet)\b",
    re.IGNORECASE,
)


def find_answers(reading: Reading, question: Question) -> list[int]:
    """Return the numbers of the lines that answer `question`, in the order of the text; empty when none does."""
    scores = _scores(reading, question)
    candidates = [at for at, score in enumerate(scores) if score > 0]
    best = sorted(candidates, key=lambda at: (-scores[at], -reading.lines[at].source, at))
    limit = question.wanted or MAX_ANSWERS
    near = [at for at in _distinct(reading, best) if scores[at] >= _NEAR_THE_BEST * scores[best[0]]][:limit]
    return sorted({*near, *_support(reading, near)})


def summarise(reading: Reading, wanted: int | None = None) -> list[int]:
    """Return the numbers of the lines that say the most of the text, in its order."""
    weights = {term: _SAID_ONCE + math.log(count) for term, count in reading.spread.items()}
    worth = [_worth(reading, at) for at in range(len(reading.lines))]

    def score(at: int) -> float:
        terms = reading.lines[at].terms
        # Divided by less than the length: of two sentences with the same words a short one wins, but not by far.
        return worth[at] * sum(weights[term] for term in terms) / math.pow(len(terms) + 4, 0.7)

    candidates = [at for at in range(len(worth)) if worth[at] > 0]
    shortlist = sorted(candidates, key=lambda at: (-score(at), at))[:_SHORTLIST]
    chosen: list[int] = []
    for at in _greedy(list(_distinct(reading, shortlist)), score):
        chosen.append(at)
        for term in reading.lines[at].terms:
            weights[term] *= _SAID
        if len(chosen) >= (wanted or summary_length(len(candidates))):
            break
    return sorted(chosen)


def summary_length(sentences: int) -> int:
    """Return how many sentences sum up a text of `sentences`: 1 of 2, 2 of 5, 3 of 10, at most `MAX_SUMMARY`."""
    return min(MAX_SUMMARY, max(1, round(math.sqrt(sentences))))


def _scores(reading: Reading, question: Question) -> list[float]:
    total = len(reading.lines)
    weights = {term: math.log((total + 1) / (reading.spread[term] + 0.5)) for term in question.terms}
    known = sum(weights.values()) or 1.0
    scores, heading = [], frozenset[str]()
    for at, line in enumerate(reading.lines):
        heading = line.terms if reading.heads(at) else heading if _goes_on(reading, at) else frozenset()
        scores.append(_score(reading, at, heading, question, weights) / known)
    return scores


def _score(reading: Reading, at: int, heading: frozenset[str], question: Question, weights: dict[str, float]) -> float:
    line = reading.lines[at]
    if line.sentence.asks:
        return 0.0
    before = reading.lines[at - 1].terms if _goes_on(reading, at) else frozenset[str]()
    own = sum(weights[term] for term in question.terms & line.terms)
    inherited = sum(
        weights[term] * (_FROM_HEADING if term in heading else _FROM_BEFORE)
        for term in question.terms & (heading | before) - line.terms
    )
    right = question.answer is not None and question.answer.search(line.sentence.text) is not None
    matched = own + inherited if question.terms else float(right)
    return matched * (_RIGHT_KIND if right else 1.0) * (_A_HEADING if reading.heads(at) else 1.0) * _brevity(line)


def _goes_on(reading: Reading, at: int) -> bool:
    """Tell whether line `at` goes on in the text of the line before it."""
    return at > 0 and reading.lines[at - 1].source == reading.lines[at].source


def _brevity(line: Line) -> float:
    # Beyond thirty words that carry meaning a sentence matches by its length alone.
    return 30 / max(30, len(line.terms))


def _support(reading: Reading, chosen: list[int]) -> Iterable[int]:
    """Yield the line before the best one when that leans on it ("It …"), so that the answer can be read alone."""
    if chosen and _goes_on(reading, chosen[0]) and _POINTING.match(reading.lines[chosen[0]].sentence.text):
        before = chosen[0] - 1
        if not reading.heads(before) and not reading.lines[before].sentence.asks:
            yield before


def _worth(reading: Reading, at: int) -> float:
    """Weigh a line by what it is, whatever it says."""
    line = reading.lines[at]
    if not line.terms or reading.heads(at):
        return 0.0
    # Authors say first what matters most, of a text (a third more) and of a paragraph (a tenth); facts have figures.
    worth = (
        1.0
        + 0.3 * (1 - at / len(reading.lines))
        + 0.1 * line.sentence.opens
        + 0.2 * bool(_FIGURE.search(line.sentence.text))
    )
    if line.sentence.asks or not line.sentence.ends:
        worth *= 0.5
    if _POINTING.match(line.sentence.text) or _GOING_ON.match(line.sentence.text):
        worth *= 0.6
    return worth * _brevity(line)


def _distinct(reading: Reading, order: Iterable[int]) -> Iterable[int]:
    seen: set[str] = set()
    for at in order:
        text = reading.lines[at].sentence.text
        if text not in seen:
            seen.add(text)
            yield at


def _greedy(candidates: list[int], score: Callable[[int], float]) -> Iterable[int]:
    """Yield the best candidate again and again; its score may change in between."""
    while candidates:
        best = max(candidates, key=lambda at: (score(at), -at))
        candidates.remove(best)
        yield best
