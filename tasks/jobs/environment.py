"""Read typed, frozen settings from the environment.

A settings class is a frozen dataclass whose fields are declared with `setting`. The same declaration
gives the value its type, its default and its documentation, so that the reference page and the code
cannot drift apart. `NAME_FILE` may hold the path of a file with the value, as secrets are mounted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

REQUIRED: Any = dataclasses.MISSING

T = TypeVar("T")


class SettingError(ValueError):
    """A setting that is missing or cannot be read. The message starts with the variable's name."""


class Secret(str):
    """A string that never shows itself in logs, tracebacks or reprs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"


@dataclasses.dataclass(frozen=True)
class Setting:
    """One documented setting: what the reference page and the tests enumerate."""

    variable: str
    type: type
    default: Any
    doc: str
    aliases: tuple[str, ...] = ()


def setting(variable: str, doc: str, *, default: Any = REQUIRED, aliases: tuple[str, ...] = ()) -> Any:
    """Declare a field that is read from `variable`, or from one of its aliases."""
    metadata = {"variable": variable, "doc": doc, "aliases": aliases, "default": default}
    if default is REQUIRED:
        return dataclasses.field(metadata=metadata)
    # A factory, because dataclasses take no mapping as a default, not even one that cannot change.
    return dataclasses.field(default_factory=lambda: default, metadata=metadata)


def declared(settings: type) -> Iterator[Setting]:
    """Yield every setting that a settings class reads, in order of declaration."""
    hints = get_type_hints(settings)
    for field in dataclasses.fields(settings):
        meta = field.metadata
        yield Setting(meta["variable"], hints[field.name], meta["default"], meta["doc"], meta["aliases"])


def load(settings: type[T], environ: Mapping[str, str]) -> T:
    """Build `settings` from `environ`. Raises `SettingError` naming the first variable that is wrong."""
    names = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]
    values = (_read(each, environ) for each in declared(settings))
    return settings(**dict(zip(names, values, strict=True)))


def _read(each: Setting, environ: Mapping[str, str]) -> Any:
    for variable in (each.variable, *each.aliases):
        raw = _raw(variable, environ)
        if raw is not None:
            return _convert(variable, raw, each.type)
    if each.default is REQUIRED:
        raise SettingError(f"{each.variable} is not set: {each.doc}")
    return each.default


def _raw(variable: str, environ: Mapping[str, str]) -> str | None:
    path = environ.get(f"{variable}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{variable}_FILE cannot be read: {error}") from error
    # An empty variable means "not set": compose files and manifests cannot leave one out.
    return environ.get(variable) or None


def _convert(variable: str, raw: str, wanted: Any) -> Any:
    try:
        return _CONVERTERS[wanted](raw.strip())
    except (ValueError, KeyError) as error:
        name = getattr(wanted, "__name__", wanted)
        raise SettingError(f"{variable} must be {name}, but is {_shown(raw, wanted)} ({error})") from error


def _shown(raw: str, wanted: Any) -> str:
    return "hidden" if wanted is Secret else repr(raw)


def _boolean(raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if raw.lower() not in words:
        raise ValueError("use true or false")
    return words[raw.lower()]


def _words(raw: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def _pairs(raw: str) -> dict[str, str]:
    pairs = [word.partition(":")[::2] for word in _words(raw)]
    if any(not key or not value for key, value in pairs):
        raise ValueError("use name:value,name:value")
    return dict(pairs)


_CONVERTERS: dict[Any, Any] = {
    str: str,
    Secret: Secret,
    int: int,
    float: float,
    bool: _boolean,
    Path: Path,
    tuple[str, ...]: _words,
    Mapping[str, str]: _pairs,
}


def prefixed(prefix: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Every variable that starts with `prefix`, without it: `AGENT_TOKEN` is `TOKEN`. `…_FILE` works here too."""
    names = {name.removesuffix("_FILE") for name in environ if name.startswith(prefix)}
    values = {name.removeprefix(prefix): _raw(name, environ) for name in names}
    return {name: Secret(value) for name, value in values.items() if value is not None}
