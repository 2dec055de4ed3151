"""Turn nested validation messages into the flat list that a problem carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

# A list of a million wrong items is one mistake; nobody reads further than this.
MAX_ERRORS = 50
# A field that the caller invented is named in the answer, but not at any length.
MAX_NAME = 100

LOCATIONS = {"json": "body", "querystring": "query", "view_args": "path", "form": "body", "files": "body"}
SCHEMA_ERRORS = "_schema"

Path = tuple[str, ...]


def describe_errors(messages: Any) -> list[dict[str, str]]:
    """List the faults in webargs' messages, which are nested by location, field and index."""
    locations = messages if isinstance(messages, Mapping) else {"json": messages}
    found = (
        _describe(str(location), path, message)
        for location, nested in locations.items()
        for path, message in _walk(nested, ())
    )
    return list(islice(found, MAX_ERRORS))


def _walk(nested: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(nested, Mapping):
        for name, inner in nested.items():
            yield from _walk(inner, path if name == SCHEMA_ERRORS else (*path, str(name)[:MAX_NAME]))
    elif isinstance(nested, list | tuple):
        for inner in nested:
            yield from _walk(inner, path)
    else:
        yield path, str(nested)


def _describe(location: str, path: Path, message: str) -> dict[str, str]:
    # Only JSON has a pointer: the fields of forms and queries are flat.
    pointer = {"pointer": "#" + "".join(f"/{_escape(name)}" for name in path)} if location == "json" else {}
    return {"location": LOCATIONS.get(location, location), **pointer, "field": ".".join(path), "message": message}


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
