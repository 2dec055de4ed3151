"""What the decorator is told, refused with the fix when it is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.sdk import Agent, Fault, Usage

FaultsOf = Callable[[str], tuple[Fault, ...]]
LoadAgent = Callable[[str], Agent]


@pytest.mark.parametrize(
    ("options", "problem", "fix"),
    [
        ('name="Ant"', "has a bad name", 'name="summarise"'),
        ('name="ant-hill"', "has a bad name", "0-9 and _"),
        ('name="2ants"', "has a bad name", "begin with a letter"),
        ('name="a" * 64', "has a bad name", "at most 63"),
        ('name="ant\\n"', "has a bad name", "a-z"),
        ('name=""', "has a bad name", "a-z"),
        ("name=7", "has a bad name", "a-z"),
        ("timeout=0", "has the timeout 0", "seconds above 0"),
        ("timeout=-1.5", "has the timeout -1.5", "seconds above 0"),
        ("timeout=float('inf')", "has the timeout inf", "seconds above 0"),
        ("timeout=float('nan')", "has the timeout nan", "seconds above 0"),
        ("timeout=True", "has the timeout True", "seconds above 0"),
        ("timeout=None", "has the timeout None", "seconds above 0"),
        ('queue="gpu"', "known are: io (gevent), cpu (prefork)", "add gpu:prefork to QUEUES"),
        ('queue="gpu"', "names the queue 'gpu'", "one line for its worker to the Procfile"),
        ("queue=None", "names the queue None", "use one of them"),
        ("setup=3", "has a setup that cannot be called", "plain function"),
        ("setup=lambda path: path", "has a setup that cannot be called", "plain function"),
        ("setup=asynchronous", "has a setup that cannot be called", "plain function"),
        ("setup=generator", "has a setup that cannot be called", "plain function"),
        ("retry_on=TimeoutError", "has retry_on=", "retry_on=(TimeoutError,)"),
        ("retry_on=('TimeoutError',)", "has retry_on=", "retry_on=(TimeoutError,)"),
        ("retry_on=(Canceled,)", "has retry_on=", "retry_on=(TimeoutError,)"),
        ("retry_on=(KeyboardInterrupt,)", "has retry_on=", "retry_on=(TimeoutError,)"),
        ("cost=-1", "has the cost -1", "whole credits, 0 or more"),
        ("cost=1.5", "has the cost 1.5", "whole credits"),
        ("cost=True", "has the cost True", "whole credits"),
        ("cost=lambda: 1", "cannot be called with the usage", "one Usage"),
        ("cost=asynchronous", "cannot be called with the usage", "one Usage"),
    ],
)
def test_a_bad_option_is_refused(faults_of: FaultsOf, options: str, problem: str, fix: str) -> None:
    (fault,) = faults_of(f"""
async def asynchronous(usage): ...
def generator(): yield

@agent({options})
def ant() -> str: ...
""")
    assert problem in fault.problem
    assert fix in fault.fix


def test_a_stream_cannot_cost_what_is_known_only_at_its_end(faults_of: FaultsOf) -> None:
    (fault,) = faults_of("@agent(cost=lambda usage: 1)\ndef ant() -> Iterator[str]: ...")
    assert "the price is sent before" in fault.problem


@pytest.mark.parametrize("source", ["async def ant() -> str: ...", "async def ant() -> AsyncIterator[str]:\n yield ''"])
def test_an_async_agent_is_refused_on_a_gevent_queue(faults_of: FaultsOf, source: str) -> None:
    (fault,) = faults_of(f'@agent(queue="io")\n{source}')
    assert "gevent pool of the queue 'io' cannot run" in fault.problem
    assert 'queue="cpu"' in fault.fix
    assert "plain def" in fault.fix


@pytest.mark.parametrize("source", ["async def ant() -> str: ...", "async def ant() -> AsyncIterator[str]:\n yield ''"])
def test_an_async_agent_is_welcome_on_a_prefork_queue(load_agent: LoadAgent, source: str) -> None:
    assert load_agent(f'@agent(queue="cpu")\n{source}').is_async


def test_what_the_decorator_was_told_is_in_the_description(load_agent: LoadAgent) -> None:
    found = load_agent("""
        def load(): return "model"
        def price(usage: Usage) -> int: return usage.total_tokens

        @agent(name="bee", queue="cpu", timeout=5, setup=load, retry_on=[TimeoutError, ProviderError], cost=price)
        def ant() -> str:
            \"\"\"Carry a leaf.

            It is heavier
            than the ant.
            \"\"\"
            return "leaf"
    """)
    assert (found.name, found.queue, found.timeout) == ("bee", "cpu", 5.0)
    assert (found.summary, found.description) == ("Carry a leaf.", "It is heavier\nthan the ant.")
    assert [each.__name__ for each in found.retry_on] == ["TimeoutError", "ProviderError"]
    assert callable(found.cost)
    assert found.cost(Usage(1, 2)) == 3
    assert found.prepare({}) == "model"
    assert not found.is_async


def test_what_the_decorator_was_not_told_has_a_default(load_agent: LoadAgent) -> None:
    found = load_agent("@agent\ndef busy_ant() -> str: ...")
    assert (found.name, found.queue, found.timeout, found.retry_on) == ("busy_ant", "io", 60.0, ())
    assert (found.summary, found.description) == ("Busy ant", "")
    assert found.prepare({}) is None


def test_a_setup_with_a_parameter_for_them_is_given_the_settings(load_agent: LoadAgent) -> None:
    found = load_agent("def load(settings): return settings['KEY']\n@agent(setup=load)\ndef ant() -> str: ...")
    assert found.prepare({"KEY": "secret"}) == "secret"


def test_a_setup_with_parameters_of_its_own_is_left_to_its_defaults(load_agent: LoadAgent) -> None:
    found = load_agent("def load(size=3): return size\n@agent(setup=load)\ndef ant() -> str: ...")
    assert found.prepare({"KEY": "secret"}) == 3


def test_a_built_in_type_can_be_a_setup(load_agent: LoadAgent) -> None:
    assert load_agent("@agent(setup=dict)\ndef ant() -> str: ...").prepare({"KEY": "secret"}) == {}
