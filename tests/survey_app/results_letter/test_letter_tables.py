"""The tables of the DOCX: subjects have room, and there is no column for a year that there is not."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from docx import Document

from survey_app.results_letter.content import LetterContent, Place, Theme
from survey_app.results_letter.word_file import letter_docx

THEME = Theme(
    "Conseiller les collectivités", "84,7 %", "177", "78 – 89 %", "80 %", "", False, ("1", "2", "3")
)
LETTER = LetterContent(
    organisation="Préfecture",
    written_on="29 novembre 2026",
    survey="L’avis des élus",
    edition="Élus 2026",
    occasion="Nous vous avons demandé votre avis.",
    answered="144 réponses",
    response_rate="",
    threshold="75 %",
    confidence="95 %",
    year="",
    themes=(THEME,),
    axes=(),
    places=(),
    population="256 destinataires.",
    not_measured="",
    online="En ligne.",
    contact="05",
    signature="Nom",
    signature_title="Fonction",
    invented=False,
)
PLACES = tuple(Place(name, "1") for name in ("Bressuire", "Niort", "Parthenay"))
PAGE = 9070
"""The width of the text, in twentieths of a point."""


def tables(letter: LetterContent) -> list[list[int]]:
    """The widths of the columns of each table, as the grid says them: what LibreOffice goes by."""
    document = Document(io.BytesIO(letter_docx(letter)))
    return [[round((column.width or 0) / 635) for column in table.columns] for table in document.tables]


@pytest.mark.parametrize("year, columns", [("", 4), ("2025", 5)])
def test_the_year_before_has_a_column_where_there_is_one(year: str, columns: int) -> None:
    letter = letter_docx(replace(LETTER, year=year))
    table = Document(io.BytesIO(letter)).tables[0]
    assert {len(row.cells) for row in table.rows} == {columns}
    assert ("2025" in [cell.text for cell in table.rows[0].cells]) == bool(year)
    assert "80 %" in [cell.text for cell in table.rows[1].cells] or not year


@pytest.mark.parametrize("places", [PLACES, PLACES[:2]])
def test_the_subject_has_the_widest_column_and_the_page_is_not_overrun(places: tuple[Place, ...]) -> None:
    theme = replace(THEME, by_place=tuple(place.population for place in places))
    found = tables(replace(LETTER, places=places, themes=(theme,)))
    assert len(found) == 2
    for first, *others in found:
        assert first > 2 * max(others) - 200
        assert first + sum(others) <= PAGE
