"""The words of a PDF, as word processors write them."""

from __future__ import annotations

import zlib

from survey_app.results_letter.pdf_words import MOST, letters_of
from tests.survey_app.results_letter.test_signed_pdf import a_pdf


def a_stream(content: bytes, *, packed: bool = True) -> bytes:
    raw = zlib.compress(content) if packed else content
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(raw), raw)


def test_codes_of_one_byte_are_read_with_their_table() -> None:
    """As LibreOffice numbers the letters of a font, in the order of their use."""
    shown = a_stream(b"BT [<01>-3<02 03>]TJ (\\004) Tj ET")
    table = a_stream(
        b"2 beginbfchar <01> <00C0> <04> <0021> endbfchar 1 beginbfrange <02> <03> <0063> endbfrange"
    )
    assert "Àcd!" in list(letters_of(a_pdf(shown, table)))


def test_codes_of_two_bytes_and_ranges_with_a_list_are_read() -> None:
    shown = a_stream(b"BT <00100011> Tj ET", packed=False)
    table = a_stream(b"1 beginbfrange <0010> <0011> [<0066> <00660069>] endbfrange")
    assert "ffi" in list(letters_of(a_pdf(shown, table)))


def test_letters_without_a_table_are_read_as_they_are() -> None:
    assert "ABCD-(x)" in list(letters_of(a_pdf(a_stream(rb"BT (ABCD - \(x\)) Tj ET"))))


def test_what_cannot_be_read_says_nothing_and_stops_nothing() -> None:
    garbage = a_stream(
        b"BT beginbfrange <zz> <00> <0> %s endbfrange <0> (" % (b"<0> <ffffff> <0>" * 99), packed=False
    )
    swollen = a_stream(b"0" * (2 * MOST))
    assert list(letters_of(a_pdf(garbage, swollen, b"stream\nno end")))
