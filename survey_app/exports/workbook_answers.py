"""The sheets of the answers themselves: « Réponses », continued on further sheets past Excel's last row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from survey_app.exports.response_table import Cell, Column
from survey_app.exports.safe_text import workbook_text
from survey_app.exports.source import ReportSource
from survey_app.exports.workbook_styles import DAY, WHOLE, Styles
from survey_app.exports.workbook_table import (
    LAST_ROW,
    add_sheet,
    columns_on_paper,
    finish_table,
    header_height,
)

SHEET = "Réponses"
PRINTED_ROWS = 30
EXTRACT = (
    "Extrait\u00a0: les premières lignes et colonnes. "
    "Pour tout imprimer\u00a0: Mise en page, Zone d’impression, Annuler."
)
WIDTHS = {"day": 11.0, "code": 16.0, "label": 22.0, "number": 12.0, "text": 60.0}
HOW_TO_READ = (
    "Une ligne par réponse, dans un ordre qui ne dit rien. Chaque question à choix unique a deux "
    "colonnes\u00a0: le code, qui ne change jamais (pour un calcul), et à côté le libellé (pour lire, "
    "filtrer, compter). "
    "Une question à plusieurs choix a une colonne par choix\u00a0: 1 si coché, 0 sinon. "
    "À l’impression, la feuille ne donne qu’un extrait."
)
"""Stands in « Méthode »."""


def write_answers_sheets(
    workbook: Workbook,
    styles: Styles,
    source: ReportSource,
    *,
    footer: str,
    rows_per_sheet: int = LAST_ROW,
) -> None:
    """One line per response in random order: codes, labels beside them, texts where the requester may."""
    table = source.table(labels=True)
    rows = map(table.cells, source.responses())
    number = 1
    while (first := next(rows, None)) is not None or number == 1:
        name = SHEET if number == 1 else f"{SHEET} {number}"
        sheet = add_sheet(workbook, name, footer=footer)
        here = chain([first] if first is not None else [], islice(rows, rows_per_sheet - 1))
        _write_header(sheet, styles, table.columns)
        last = _write_rows(sheet, [_format(styles, column) for column in table.columns], here)
        widths = [WIDTHS[column.kind] for column in table.columns]
        finish_table(sheet, last, widths, frozen_columns=1)
        _print_an_extract(sheet, last, widths)
        number += 1


def _print_an_extract(sheet: Worksheet, last_row: int, widths: Sequence[float]) -> None:
    """Whoever prints the workbook wants its figures: thousands of answers are hundreds of sheets of paper."""
    rows, columns = min(last_row, PRINTED_ROWS), columns_on_paper(widths)
    if (rows, columns) == (last_row, len(widths)):
        return
    sheet.print_area(0, 0, rows, columns - 1)
    sheet.fit_to_pages(1, 0)
    sheet.set_header(f"&L&9{EXTRACT}")


def _write_rows(sheet: Worksheet, formats: Sequence[Format | None], rows: Iterable[Sequence[Cell]]) -> int:
    """The number of the last row. No call per cell but XlsxWriter's own: there are millions of them."""
    known: dict[str, str] = {}
    write_string, write_number, write_day = sheet.write_string, sheet.write_number, sheet.write_datetime
    last = 0
    for last, row in enumerate(rows, start=1):
        for position, cell in enumerate(row):
            if isinstance(cell, str):
                style = formats[position]
                text = known.get(cell) if style is None else workbook_text(cell)
                if text is None:
                    text = known[cell] = workbook_text(cell)
                write_string(last, position, text, style)
            elif isinstance(cell, int):
                write_number(last, position, cell, formats[position])
            elif cell is not None:
                write_day(last, position, cell, formats[position])
    return last


def _write_header(sheet: Worksheet, styles: Styles, columns: tuple[Column, ...]) -> None:
    headings = [(f"{column.label}\n{column.code}", WIDTHS[column.kind]) for column in columns]
    sheet.set_row(0, header_height(headings))
    for position, (heading, width) in enumerate(headings):
        sheet.set_column(position, position, width)
        sheet.write_string(0, position, workbook_text(heading), styles.heading)


def _format(styles: Styles, column: Column) -> Format | None:
    """Only what a number needs: no style on every code keeps large files small."""
    if column.kind == "text":
        return styles.wrapped
    return {"day": styles.make(num_format=DAY), "number": styles.make(num_format=WHOLE)}.get(column.kind)
