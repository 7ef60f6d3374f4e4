"""The sheets of the answers themselves: « Réponses », continued on further sheets past Excel's last row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from survey_app.exports.response_table import Cell, Column
from survey_app.exports.safe_text import workbook_text
from survey_app.exports.source import ReportSource
from survey_app.exports.workbook_styles import DAY, WHOLE, Styles
from survey_app.exports.workbook_table import LAST_ROW, add_sheet, finish_table

SHEET = "Réponses"
LABELS_UP_TO = 20_000
"""Above so many responses the sheet holds codes only, to stay usable; « Codes » has their labels."""

WIDTHS = {"day": 11.0, "code": 16.0, "label": 22.0, "number": 9.0, "text": 60.0}


def write_answers_sheets(workbook: Workbook, styles: Styles, source: ReportSource, *, footer: str) -> None:
    """One line per response in random order; codes, labels for small waves, texts where the requester may."""
    table = source.table(labels=source.report.responses <= LABELS_UP_TO)
    rows = (table.cells(response) for response in source.responses())
    number = 1
    while (first := next(rows, None)) is not None or number == 1:
        name = SHEET if number == 1 else f"{SHEET} {number}"
        sheet = add_sheet(workbook, name, footer=footer)
        here = chain([first] if first is not None else [], islice(rows, LAST_ROW - 1))
        _write_rows(sheet, styles, table.columns, here)
        number += 1


def _write_rows(
    sheet: Worksheet, styles: Styles, columns: tuple[Column, ...], rows: Iterator[list[Cell]]
) -> None:
    _write_header(sheet, styles, columns)
    formats = [_format(styles, column) for column in columns]
    known: dict[str, str] = {}
    last = 0
    write_string, write_number, write_day = sheet.write_string, sheet.write_number, sheet.write_datetime
    for last, row in enumerate(rows, start=1):
        for position, cell in enumerate(row):
            if cell is None:
                continue
            if isinstance(cell, str):
                style = formats[position]
                text = known.get(cell) if style is None else workbook_text(cell)
                if text is None:
                    text = known[cell] = workbook_text(cell)
                write_string(last, position, text, style)
            elif isinstance(cell, int):
                write_number(last, position, cell, formats[position])
            else:
                write_day(last, position, cell, formats[position])
    finish_table(sheet, last, len(columns), frozen_columns=1)


def _write_header(sheet: Worksheet, styles: Styles, columns: tuple[Column, ...]) -> None:
    sheet.set_row(0, 64)
    for position, column in enumerate(columns):
        sheet.set_column(position, position, WIDTHS[column.kind])
        sheet.write_string(0, position, workbook_text(f"{column.label}\n{column.code}"), styles.heading)


def _format(styles: Styles, column: Column) -> Format | None:
    """Only what a number needs: no style on every code keeps large files small."""
    if column.kind == "text":
        return styles.wrapped
    return {"day": styles.make(num_format=DAY), "number": styles.make(num_format=WHOLE)}.get(column.kind)
