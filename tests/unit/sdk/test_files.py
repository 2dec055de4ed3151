"""Files that callers upload and artifacts that agents make."""

from __future__ import annotations

import pytest

from tasks.sdk import AgentError, Artifact
from tasks.sdk.testing import fake_file


def test_a_file_can_be_read_twice_and_in_pieces() -> None:
    file = fake_file("Grüße aus München, und noch mehr", name="a.txt")
    assert file.read() == file.read() == "Grüße aus München, und noch mehr".encode()
    assert len([*file.chunks()]) > 1
    assert b"".join(file.chunks()) == file.read()
    assert file.size == len(file.read())


def test_text_is_read_with_and_without_a_byte_order_mark() -> None:
    assert fake_file("Grüße").text() == fake_file(b"\xef\xbb\xbf" + "Grüße".encode()).text() == "Grüße"
    assert fake_file("Grüße".encode("latin-1")).text("latin-1") == "Grüße"


def test_a_file_that_is_no_text_fails_the_job_with_a_reason() -> None:
    with pytest.raises(AgentError, match=r"The file 'a\.bin' is not text") as refused:
        fake_file(b"\xff\xfe\x00", name="a.bin").text()
    assert refused.value.code == "unreadable_file"


def test_the_content_of_a_file_is_not_in_its_repr() -> None:
    assert repr(fake_file("secret")) == "File(name='document.txt', media_type='text/plain', size=6)"


@pytest.mark.parametrize("name", ["result.pdf", "Übersicht (1).pdf", "a", "報告.pdf", "x" * 128])
def test_an_ordinary_name_is_good_for_an_artifact(name: str) -> None:
    assert Artifact(name, "text/plain", 0).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "../a", "a\\b", 'a"b', "a\nb", "a\n", "a\0", "-a", "_a", "a;b", "x" * 129]
)
def test_a_name_that_could_leave_its_folder_or_its_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name an artifact"):
        Artifact(name, "text/plain", 0)
