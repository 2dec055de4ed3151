from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.http.disposition import content_disposition, safe_name

HEADER = re.compile(
    r"""attachment; filename="[^"\\\x00-\x1f\x7f-\uffff]+"(; filename\*=UTF-8''[\w.%!#$&+^`|~-]+)?""", re.ASCII
)


def test_a_plain_name_is_given_as_it_is() -> None:
    assert content_disposition("inline", "result.pdf") == 'inline; filename="result.pdf"'


def test_another_script_is_given_in_both_forms() -> None:
    value = content_disposition("attachment", "Übersicht.pdf")

    assert value == "attachment; filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf"


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b.txt", "ab.txt"),
        (".bashrc", "bashrc"),
        ("name. ", "name"),
        ("", "download"),
        ("..", "download"),
        ("///", "download"),
        ("\ud800.txt", "txt"),
    ],
    ids=ascii,
)
def test_a_name_is_the_last_part_of_a_path_and_shows_all_it_has(given_name: str, shown: str) -> None:
    assert safe_name(given_name) == shown


def test_quotes_do_not_end_the_parameter() -> None:
    value = content_disposition("attachment", 'a";filename=evil.exe;".pdf')

    assert value.startswith('attachment; filename="a__filename=evil.exe__.pdf"; filename*=')


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ä" * 1000 + ".pdf")

    assert name.endswith(".pdf")
    assert len(name.encode()) <= 200


@given(st.text(max_size=300))
def test_any_name_makes_one_well_formed_header_that_decodes_to_the_safe_name(name: str) -> None:
    value = content_disposition("attachment", name)

    assert HEADER.fullmatch(value)
    plain, _, exact = value.partition("; filename*=UTF-8''")
    shown = unquote(exact) if exact else plain.removeprefix('attachment; filename="').removesuffix('"')
    assert shown == safe_name(name)
