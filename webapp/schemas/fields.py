"""Fields that take exactly what the document says.

A value comes either as JSON, which has types, or as the text of a query or a form, which has none. With
`text=True` a field reads text; without it, it refuses `"3"` where a number is wanted, as JSON Schema does.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
import orjson
from werkzeug.datastructures import FileStorage

# JSON numbers travel as 64-bit integers; a larger one would be rounded silently on its way.
INTEGERS = range(-(2**63), 2**63)

WHOLE = re.compile(r"[+-]?[0-9]+")
DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Whole(ma.fields.Integer):
    """An integer. JSON has no integers, so `3.0` is one too."""

    def __init__(self, *, text: bool, **options: Any) -> None:
        super().__init__(**options)
        self._text = text

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not (_matches(WHOLE, value) if self._text else _is_whole(value)):
            raise self.make_error("invalid", input=value)
        number = self._validated(value)
        if number not in INTEGERS:
            raise self.make_error("too_large", input=value)
        return number


class Decimal(ma.fields.Float):
    """A number with a fraction; never NaN or infinite."""

    def __init__(self, *, text: bool, **options: Any) -> None:
        super().__init__(**options)
        self._text = text

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if not (_matches(DECIMAL, value) if self._text else isinstance(value, int | float)):
            raise self.make_error("invalid", input=value)
        return self._validated(value)


class Flag(ma.fields.Boolean):
    """True or false; as text `true`, `1`, `false` or `0`."""

    def __init__(self, *, text: bool, **options: Any) -> None:
        super().__init__(**options)
        self._words = {"true": True, "1": True, "false": False, "0": False} if text else {}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        found = self._words.get(value.lower()) if self._words and isinstance(value, str) else value
        if not isinstance(found, bool):
            raise self.make_error("invalid", input=value)
        return found


class Chosen(ma.fields.Field[Any]):
    """One of a few values, compared with their type: `1` is not `true`."""

    def __init__(self, values: tuple[str | int | bool, ...], *, text: bool, **options: Any) -> None:
        super().__init__(**options)
        self._by_form = {_written(value) if text else (type(value), value): value for value in values}
        self._text = text

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        form = value if self._text else (type(value), value)
        # A list or an object is no choice, and cannot be looked up either.
        if not isinstance(value, str | int | bool) or form not in self._by_form:
            raise ma.ValidationError(f"must be one of {', '.join(map(_written, self._by_form.values()))}")
        return self._by_form[form]


class JsonText(ma.fields.Field[Any]):
    """A structured value written as JSON inside a query parameter or a form part."""

    def __init__(self, inner: ma.fields.Field[Any], **options: Any) -> None:
        super().__init__(**options)
        self.inner = inner

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ma.ValidationError("must be written as JSON") from error
        return self.inner.deserialize(parsed, attr, data)


@dataclass(frozen=True)
class FileId:
    """The id of a file that was uploaded before, in place of the file."""

    id: str


class FilePart(ma.fields.Field[FileStorage | FileId]):
    """A file of a multipart form, or the id of one that was uploaded to `/v1/files`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> FileStorage | FileId:
        if isinstance(value, FileStorage):
            return value
        try:
            return FileId(str(uuid.UUID(value)))
        except (ValueError, AttributeError, TypeError) as error:
            raise ma.ValidationError("must be a file, or the id of one that was uploaded") from error


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _written(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
