"""What the codes of names are."""

from __future__ import annotations

import pytest

from tasks.pipelines.sample.encoding import Unreadable, encode, label

EXAMPLE = [0] * 43 + [16, 35, 12, 24, 27, 23, 16]


@pytest.mark.parametrize(
    "name",
    ["example.com", "EXAMPLE.Com", "www.example.com", "example.co.uk", "example", "example.com.", " example.de "],
)
def test_a_name_is_the_label_that_its_owner_chose(name: str) -> None:
    assert encode(name) == EXAMPLE


def test_codes_are_of_the_hyphen_the_digits_and_the_letters_and_stand_at_the_end() -> None:
    assert encode("-09az.org") == [0] * 45 + [1, 2, 11, 12, 37]


def test_of_a_long_label_the_end_is_read() -> None:
    assert encode("x" * 13 + "a" * 50 + ".com") == [12] * 50


def test_an_international_name_is_read_in_its_ascii_form() -> None:
    assert label("Bücher.example") == "xn--bcher-kva"


@pytest.mark.parametrize("suffix", ["co.jp", "com.br", "ac.nz"])
def test_a_second_level_below_a_country_is_part_of_the_suffix(suffix: str) -> None:
    assert label(f"mail.example.{suffix}") == "example"


def test_a_short_name_of_its_own_is_no_suffix() -> None:
    assert label("co.uk") == "co"
    assert label("www.ac.com") == "ac"


@pytest.mark.parametrize("name", ["", " ", ".", "exa_mple.com", "a b.com", "a..com", "x" * 64 + ".com", "exam/ple"])
def test_what_is_no_domain_name_is_refused(name: str) -> None:
    with pytest.raises(Unreadable):
        encode(name)
