"""What may go with every mail as the signed letter: a whole PDF that holds nothing that acts."""

from __future__ import annotations

import io
import zlib
from contextlib import suppress
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from survey_app.results_letter.photo_places import tells_a_place
from survey_app.results_letter.signed_pdf import LARGEST, PdfRefusedError, check_pdf


def a_pdf(
    *objects: bytes,
    head: bytes = b"%PDF-1.7\n",
    tail: bytes = b"trailer\n<< /Size 9 >>\nstartxref\n0\n%%EOF\n",
) -> bytes:
    """A small file in the shape of a PDF."""
    numbered = (b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return head + b"".join(numbered) + tail


PAGE = b"<< /Type /Page /Contents 2 0 R >>"
LETTER = a_pdf(b"<< /Type /Catalog /OpenAction [3 0 R /XYZ null null 0] >>", PAGE)


IN_HEXADECIMAL = zlib.compress(b"1 0 << /S /JavaScript >>".hex().encode())


def packed(objects: bytes, facts: bytes = b"/Filter /FlateDecode", *, raw: bytes | None = None) -> bytes:
    """Objects in a compressed stream, as PDF 1.5 and later write them."""
    content = zlib.compress(objects) if raw is None else raw
    return b"<< /Type /ObjStm /N 1 /First 4 %s /Length %d >>\nstream\n%s\nendstream" % (
        facts,
        len(content),
        content,
    )


def refusal(content: bytes) -> str:
    with pytest.raises(PdfRefusedError) as fault:
        check_pdf(content)
    return str(fault.value)


def test_an_ordinary_letter_passes_with_links_and_a_first_page() -> None:
    check_pdf(LETTER)
    check_pdf(a_pdf(PAGE, b"<< /S /URI /URI (https://exemple.gouv.fr) >>"))
    check_pdf(a_pdf(packed(b"1 0 << /Type /Page >>")))


def a_photograph(*, with_place: bool) -> bytes:
    """A JPEG as a telephone writes it; its own part says the maker and, if wanted, the place."""
    exif = Image.Exif()
    exif[0x010F] = "Un téléphone"
    if with_place:
        exif[0x8825] = {1: "N", 2: (46.0, 19.0, 25.0), 3: "W", 4: (0.0, 27.0, 36.0)}
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def scanned(photograph: bytes) -> bytes:
    """A letter that was photographed: the picture lies in the PDF as it came from the camera."""
    drawing = b"<< /Type /XObject /Subtype /Image /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream"
    return a_pdf(PAGE, drawing % (len(photograph), photograph))


@pytest.mark.abuse("AC-29")
def test_a_photograph_that_says_where_it_was_taken_never_goes_out() -> None:
    assert "où elle a été prise" in refusal(scanned(a_photograph(with_place=True)))
    check_pdf(scanned(a_photograph(with_place=False)))


@pytest.mark.abuse("AC-29")
@pytest.mark.parametrize("order", ["big", "little"])
def test_the_place_is_found_in_both_orders_of_bytes_and_in_the_words_beside_a_picture(order: Any) -> None:
    mark = b"MM\x00*" if order == "big" else b"II*\x00"
    directory = [(8, 4), (1, 2), (0x8825, 2), (4, 2), (1, 4), (26, 4), (0, 4)]
    exif = b"Exif\x00\x00" + mark + b"".join(value.to_bytes(size, order) for value, size in directory)
    assert tells_a_place(exif)
    assert not tells_a_place(exif.replace((0x8825).to_bytes(2, order), (0x010F).to_bytes(2, order)))
    assert tells_a_place(b'<rdf:Description exif:GPSLatitude="46,19.42N"/>')


@given(st.binary(max_size=80))
def test_no_bytes_behind_the_mark_of_a_photograph_break_the_reading(noise: bytes) -> None:
    for mark in (b"MM\x00*", b"II*\x00"):
        tells_a_place(b"Exif\x00\x00" + mark + noise)


def test_words_inside_the_text_of_a_letter_are_no_actions() -> None:
    check_pdf(a_pdf(b"<< /Length 20 >>\nstream\n(/JavaScript) Tj\nendstream", PAGE))


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "Choisissez"),
        (b"PK\x03\x04 word/document.xml", "n’est pas un PDF"),
        (b"<html>%PDE-1.7</html>", "n’est pas un PDF"),
        (LETTER[:-8], "coupé"),
        (LETTER + b"0" * LARGEST, "dépasse 5"),
        (a_pdf(PAGE, tail=b"trailer\n<< /Encrypt 5 0 R >>\n%%EOF\n"), "mot de passe"),
    ],
    ids=["nothing", "docx", "html", "cut", "large", "encrypted"],
)
def test_what_is_no_whole_open_pdf_is_refused_with_the_remedy(content: bytes, said: str) -> None:
    assert said in refusal(content)


@pytest.mark.parametrize(
    "name", ["JavaScript", "JS", "Launch", "EmbeddedFile", "RichMedia", "XFA", "SubmitForm", "GoToR", "Movie"]
)
def test_what_acts_or_carries_a_file_is_refused_by_name(name: str) -> None:
    plain = a_pdf(PAGE, b"<< /S /%s /Next (x) >>" % name.encode())
    hidden = a_pdf(PAGE, packed(b"1 0 << /S /%s >>" % name.encode()))
    escaped = a_pdf(PAGE, b"<< /S /#%02X%s >>" % (ord(name[0]), name[1:].encode()))
    for content in (plain, hidden, escaped):
        assert f"«\u202f{name}\u202f»" in refusal(content)


@pytest.mark.parametrize(
    "action",
    [b"/AA << /O 4 0 R >>", b"/OpenAction << /S /URI /URI (https://exemple.fr) >>", b"/OpenAction 4 0 R"],
)
def test_what_acts_by_itself_when_the_letter_opens_is_refused(action: bytes) -> None:
    assert "élément actif" in refusal(a_pdf(b"<< /Type /Catalog %s >>" % action, PAGE))


def test_objects_are_looked_for_in_every_stream_that_readers_take_them_from() -> None:
    untyped = packed(b"1 0 << /S /JavaScript >>").replace(b"/Type /ObjStm ", b"")
    assert "JavaScript" in refusal(a_pdf(PAGE, untyped))


def test_a_false_end_of_a_stream_hides_nothing_that_follows() -> None:
    two_ends = b"<< /Length 20 >>\nstream\n endstream \nendstream"
    after = b"<< /S /JavaScript >>"
    last = b"<< /Length 0 >>\nstream\n\nendstream"
    assert "JavaScript" in refusal(a_pdf(PAGE, two_ends, after, last))


@pytest.mark.parametrize(
    "filling", [b"stream\n", b">>stream\n", b"<< >>\nstream\n\nendstream\n", b">>" + b" " * 98]
)
def test_no_file_takes_longer_than_it_is_long(filling: bytes) -> None:
    """Control: with one pattern over the whole file, 56 kB of beginnings without ends took eleven seconds."""
    started = perf_counter()
    with suppress(PdfRefusedError):
        check_pdf(a_pdf(filling * (2**20 // len(filling))))
    assert perf_counter() - started < 5


def test_an_action_hidden_in_a_compressed_part_is_only_seen_when_it_is_opened() -> None:
    """The control: the bytes of the file do not hold the name."""
    assert b"JavaScript" not in a_pdf(packed(b"1 0 << /S /JavaScript >>"))


@pytest.mark.parametrize(
    "part",
    [
        packed(b"1 0 << >>", b"/Filter [/ASCII85Decode /FlateDecode]"),
        packed(
            b"", b"/Filter[/FlateDecode/ASCIIHexDecode]", raw=zlib.compress(b"/JavaScript".hex().encode())
        ),
        packed(b"1 0 << >>", b"/Filter /FlateDecode /Filter /ASCIIHexDecode"),
        packed(b"1 0 << >>", b"/Filter /FlateDecode /DecodeParms 7 0 R"),
        packed(b"1 0 << >>").replace(b">>\nstream", b">>\n% a remark\nstream"),
        packed(b"1 0 << >>").replace(b"endstream", b""),
        packed(b"1 0 << >>", b"/Filter /FlateDecode /DecodeParms << /Predictor 12 >>"),
        packed(b"", raw=b"not compressed"),
        packed(b"", raw=zlib.compress(b"1 0 << >>" * 9)[:-9]),
    ],
    ids=[
        "other filter",
        "second filter",
        "filter twice",
        "parameters elsewhere",
        "remark before",
        "no end",
        "predictor",
        "garbage",
        "cut",
    ],
)
def test_a_part_that_cannot_be_read_is_refused(part: bytes) -> None:
    assert "ne se relit pas" in refusal(a_pdf(PAGE, part))


def test_a_part_that_swells_is_not_opened_to_its_end() -> None:
    bomb = packed(b"", raw=zlib.compress(b"0" * (80 * 2**20), 9))
    assert "ne se relit pas" in refusal(a_pdf(PAGE, bomb))
