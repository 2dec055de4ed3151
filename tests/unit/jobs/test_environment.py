"""Settings are typed, documented, and name the variable that is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.jobs.environment import Secret, SettingError, declared, load, prefixed, setting
from tasks.jobs.settings import EngineSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    name: str = setting("NAME", "A name.")
    port: int = setting("PORT", "A port.", default=8000)
    on: bool = setting("ON", "A switch.", default=False)
    key: Secret = setting("KEY", "A secret.", default=Secret(""), aliases=("TOKEN",))
    words: tuple[str, ...] = setting("WORDS", "A list.", default=())
    pairs: Mapping[str, str] = setting("PAIRS", "A mapping.", default={"a": "b"})


def test_values_are_converted_and_defaults_filled() -> None:
    sample = load(Sample, {"NAME": " x ", "PORT": "1", "ON": "yes", "WORDS": "a, b", "PAIRS": "c:d"})
    assert sample == Sample(name="x", port=1, on=True, words=("a", "b"), pairs={"c": "d"})
    assert load(Sample, {"NAME": "x", "PORT": ""}).port == 8000


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "NAME is not set"),
        ({"NAME": "x", "PORT": "many"}, "PORT must be int, but is 'many'"),
        ({"NAME": "x", "ON": "maybe"}, "ON must be bool"),
        ({"NAME": "x", "PAIRS": "c"}, "PAIRS must be"),
        ({"NAME_FILE": "/nowhere/at/all"}, "NAME_FILE cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        load(Sample, environ)


def test_a_secret_is_read_from_a_file_or_an_alias_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2\n")
    from_file = load(Sample, {"NAME": "x", "KEY_FILE": str(tmp_path / "key")})
    assert from_file.key == load(Sample, {"NAME": "x", "TOKEN": "hunter2"}).key == "hunter2"
    assert "hunter2" not in repr(from_file)


def test_every_setting_has_a_variable_and_a_sentence() -> None:
    for each in declared(EngineSettings):
        assert each.variable.isupper()
        assert each.doc.endswith(".")


def test_a_queue_with_an_unknown_pool_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match="QUEUES"):
        load(EngineSettings, {"QUEUES": "io:threads"})


def test_the_agents_settings_lose_their_prefix(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    environ = {"AGENT_URL": "u", "AGENT_TOKEN_FILE": str(tmp_path / "token"), "OTHER": "o", "AGENT_EMPTY": ""}
    assert prefixed("AGENT_", environ) == {"URL": "u", "TOKEN": "t"}
