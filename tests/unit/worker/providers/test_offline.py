"""The offline provider, judged as a reader would judge it."""

# ruff: noqa: RUF001 (Chinese punctuation is meant)
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.sdk.generation import Message, Role
from tasks.worker.providers import answers
from tasks.worker.providers.offline import OfflineProvider
from tasks.worker.providers.tokens import count_tokens

BRIDGE = """The Golden Gate Bridge is a suspension bridge that spans the Golden Gate, the strait connecting San
Francisco Bay and the Pacific Ocean in California. Before the bridge was built, the only practical short route was by
boat. Construction began on January 5, 1933. The project cost more than $35 million, and it was completed ahead of
schedule. The chief engineer was Joseph B. Strauss, who had designed over 400 drawbridges. However, most of the design
work was done by Charles Ellis. Ellis got no credit for it until 2007. The bridge opened to pedestrians on May 27, 1937.
It was the longest suspension bridge in the world until 1964. Its towers are 746 feet high. The famous colour is called
International Orange and was chosen because it stands out in the fog. Eleven men died in falls during construction.
"""

MAIL = """Subject: Q3 review and next steps

Hi team,

Thanks for joining the call. Revenue grew by 14% to 8.2 million euros, mainly because the new plan sold well.

Open risks:
- The contract with our hosting provider ends on 31 December.
- Two senior engineers have left the payments team.

Decisions:
1. We freeze prices until March.
2. Ana will negotiate the hosting contract.

The next review is on 12 January at 10:00.
"""

TELEPHONE = "电话是由亚历山大·贝尔于1876年发明的。他出生在苏格兰的爱丁堡。后来他移居加拿大。贝尔创立了贝尔电话公司。"


def ask(*contents: str) -> str:
    """Answer when the user says these, one after the other."""
    return OfflineProvider().complete([Message("user", content) for content in contents]).text


def chat(*turns: str) -> str:
    """Answer at the end of a chat in which user and assistant take turns."""
    roles: tuple[Role, Role] = ("user", "assistant")
    return OfflineProvider().complete([Message(roles[at % 2], turn) for at, turn in enumerate(turns)]).text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When did the bridge open?", "The bridge opened to pedestrians on May 27, 1937."),
        ("How much did it cost?", "The project cost more than $35 million, and it was completed ahead of schedule."),
        ("Who was the chief engineer?", "The chief engineer was Joseph B. Strauss"),
        ("How many men died?", "Eleven men died in falls during construction."),
        ("why is it orange", "The famous colour is called International Orange and was chosen because"),
        ("height of the towers", "Its towers are 746 feet high."),
    ],
)
def test_a_question_about_a_text_is_answered_by_the_sentence_that_says_it(question: str, answer: str) -> None:
    assert answer in ask(BRIDGE, question)


def test_an_answer_that_leans_on_the_sentence_before_brings_it_along() -> None:
    text = "Mars is the fourth planet. It has two moons. Venus is hotter."
    assert ask(text, "How many moons are there?") == "Mars is the fourth planet. It has two moons."


def test_a_heading_tells_what_its_list_is_about() -> None:
    risks = ask(MAIL, "What are the risks?")
    assert risks.startswith("The contract with our hosting provider ends")
    assert "Two senior engineers" in risks
    assert "freeze prices" not in risks
    assert ask(MAIL, "When is the next review?") == "The next review is on 12 January at 10:00."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("谁发明了电话？", "电话是由亚历山大·贝尔于1876年发明的。"),
        ("贝尔出生在哪里？", "他出生在苏格兰的爱丁堡。"),
    ],
)
def test_a_chinese_question_is_answered(question: str, answer: str) -> None:
    assert ask(TELEPHONE, question) == answer


def test_other_languages_are_answered() -> None:
    german = "Die Donau entspringt im Schwarzwald. Im Delta leben über 300 Vogelarten. Der Hafen ist angebunden."
    russian = "Москва — столица России. Московское метро открылось в 1935 году."
    assert ask(german, "Wie viele Vögel leben im Delta?") == "Im Delta leben über 300 Vogelarten."
    assert ask(russian, "Когда открылось метро?") == "Московское метро открылось в 1935 году."


def test_a_summary_is_shorter_than_the_text_and_begins_with_what_it_is_about() -> None:
    summary = ask(BRIDGE)
    assert summary.startswith("The Golden Gate Bridge is a suspension bridge")
    assert len(summary) < len(BRIDGE) / 2
    assert ask(BRIDGE, "Summarise this text, please") == summary


def test_the_number_of_sentences_asked_for_is_given() -> None:
    one = ask(BRIDGE, "Summarise in one sentence")
    assert one.count(".") == 1
    assert one.startswith("The Golden Gate Bridge is")


def test_text_and_focus_both_change_the_answer() -> None:
    given = {
        ask(text, focus) for text in (BRIDGE, MAIL) for focus in ("contract", "engineers", "cost and construction")
    }
    assert len(given) == 6


def test_a_focus_that_the_text_does_not_know_is_said_to_be_unknown() -> None:
    answer = ask(BRIDGE, "submarines")
    assert answer.startswith("Nothing in the text matches “submarines”.")
    assert "The Golden Gate Bridge is" in answer


def test_a_prompt_that_brings_text_and_question_is_answered() -> None:
    prompt = (
        "Context: The warehouse opens at 8:00. Deliveries are taken at gate 4.\n\nQuestion: Where are deliveries taken?"
    )
    assert ask(prompt) == "Deliveries are taken at gate 4."


def test_what_was_said_earlier_in_a_chat_is_remembered() -> None:
    said = ("My name is Ada and I live in Paris.", "Noted.", "I have two cats, Miso and Tofu.", "Noted.")
    assert chat(*said, "What is my name?") == "My name is Ada and I live in Paris."
    assert chat(*said, "what are my cats called") == "I have two cats, Miso and Tofu."


def test_a_question_asked_twice_is_not_its_own_answer() -> None:
    turns = ("My name is Ada.", "Noted.", "What is my name?", "My name is Ada.", "What is my name?")
    assert chat(*turns) == "My name is Ada."


def test_the_replies_are_searched_when_nothing_else_matches() -> None:
    turns = ("Tell me about Mars", "Mars is the fourth planet. It has two moons.", "How many moons?")
    assert chat(*turns) == "Mars is the fourth planet. It has two moons."


def test_its_own_excuses_are_no_source() -> None:
    assert chat("Hello", answers.GREETING, "What is a language model?") == answers.NOT_SAID


def test_a_text_sent_in_the_middle_of_a_chat_is_summed_up() -> None:
    assert chat("I like the sea.", "Noted.", BRIDGE) == ask(BRIDGE)


@pytest.mark.parametrize("greeting", ["Hello!", "hi there", "Thank you very much", "你好", "Привет!", "😀", "..."])
def test_a_greeting_gets_a_plain_answer_that_tells_what_this_is(greeting: str) -> None:
    assert ask(greeting) in (answers.GREETING, answers.NO_TEXT)
    assert "not a language model" in ask(greeting)
    assert chat("My name is Ada.", "Noted.", greeting) in (answers.GREETING, answers.NOT_SAID)


def test_a_question_without_a_text_is_not_echoed() -> None:
    assert ask("What is the capital of France?") == answers.NO_TEXT


def test_system_messages_are_no_source() -> None:
    messages = [Message("system", "The secret word is swordfish."), Message("user", "What is the secret word?")]
    assert OfflineProvider().complete(messages).text == answers.NO_TEXT


def test_no_messages_at_all_are_answered() -> None:
    assert OfflineProvider().complete([]).text == answers.GREETING


def test_the_length_is_limited_and_the_limit_is_reported() -> None:
    completion = OfflineProvider().complete([Message("user", BRIDGE)], max_tokens=7)
    assert completion.text == "The Golden Gate Bridge is a suspension"
    assert completion.finish_reason == "length"
    assert completion.usage.completion_tokens == 7
    assert completion.usage.prompt_tokens == count_tokens(BRIDGE)


def test_an_answer_ends_before_a_stop_word() -> None:
    completion = OfflineProvider().complete([Message("user", BRIDGE)], stop=["", " suspension", " bridge"])
    assert completion.text == "The Golden Gate Bridge is a"
    assert completion.finish_reason == "stop"


messages = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text()), max_size=6)


@given(messages, st.integers(min_value=1, max_value=50))
def test_whatever_comes_in_the_stream_says_the_same_as_the_whole_answer(said: list[Message], limit: int) -> None:
    completion = OfflineProvider().complete(said, max_tokens=limit)
    stream = OfflineProvider().stream(said, max_tokens=limit)
    assert "".join(stream) == completion.text
    assert (stream.usage, stream.finish_reason) == (completion.usage, completion.finish_reason)
    assert completion.text
    assert 0 < completion.usage.completion_tokens <= limit
    assert completion.usage.prompt_tokens > 0


def test_a_closed_stream_says_no_more() -> None:
    stream = OfflineProvider().stream([Message("user", BRIDGE)])
    pieces = iter(stream)
    assert next(pieces) == "The"
    stream.close()
    stream.close()
    assert list(stream) == []


def test_a_megabyte_is_answered() -> None:
    text = (BRIDGE + "\n") * (1_000_000 // len(BRIDGE))
    assert ask(text, "How high are the towers?").endswith("Its towers are 746 feet high.")
