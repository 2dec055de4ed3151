"""Name a download safely: the name comes from an agent, and ends up on somebody's disk."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal
from urllib.parse import quote

Disposition = Literal["inline", "attachment"]

FALLBACK = "download"
# The longest name that every common file system takes has 255 bytes; this leaves room for "copy (2)".
MAX_BYTES = 200
# What a path, a header or a shell would take for more than a letter. The percent sign is among them because some
# browsers decode it in the plain parameter.
_UNSAFE = re.compile(r'[<>:"|?*%;\\]')
# RFC 8187: what need not be escaped in the extended parameter.
_ATTR_CHARS = "!#$&+-.^_`|~"


def content_disposition(disposition: Disposition, filename: str) -> str:
    """The header's value by RFC 6266: the plain name, and the exact one where they differ."""
    name = safe_name(filename)
    plain = _UNSAFE.sub("_", name).encode("ascii", "replace").decode().replace("?", "_")
    value = f'{disposition}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"


def safe_name(filename: str) -> str:
    """The last part of a path, without anything that is not shown as it is."""
    # Surrogates cannot be encoded; C, Z without the space are controls, text-direction overrides, line separators.
    shown = "".join(
        letter
        for letter in unicodedata.normalize("NFC", filename)
        if letter == " " or unicodedata.category(letter)[0] not in "CZ"
    )
    name = re.split(r"[/\\]", shown)[-1].strip(" .")
    return _shorten(name) or FALLBACK


def _shorten(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > MAX_BYTES // 4:
        return _cut(name, MAX_BYTES)
    return _cut(stem, MAX_BYTES - len(extension.encode()) - 1) + dot + extension


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
