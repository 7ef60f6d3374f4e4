"""The workbook of a wave, written row by row: memory does not grow with the number of responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from xlsxwriter import Workbook

from survey_app.exports.codebook import HEADINGS, codebook_rows
from survey_app.exports.figure_rows import (
    COMMITMENT_COLUMNS,
    ITEM_COLUMNS,
    Row,
    commitment_rows,
    item_rows,
)
from survey_app.exports.response_table import merged_items
from survey_app.exports.source import ReportSource
from survey_app.exports.workbook_answers import write_answers_sheets
from survey_app.exports.workbook_breakdowns import (
    AXIS_COLUMNS,
    OTHER_COLUMNS,
    SITE_COLUMNS,
    axis_rows,
    other_rows,
    site_rows,
)
from survey_app.exports.workbook_method import write_method
from survey_app.exports.workbook_styles import Styles
from survey_app.exports.workbook_summary import write_summary
from survey_app.exports.workbook_table import TableColumn, write_table
from survey_app.exports.workbook_years import SHEET, year_columns, year_rows

OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "default_date_format": "dd/mm/yyyy",
}
CODEBOOK_WIDTHS = (24, 44, 15, 20, 38, 14, 10, 20)
FIGURE_SHEETS: tuple[
    tuple[str, tuple[TableColumn, ...], Callable[[ReportSource, Styles], Iterator[Row]]], ...
] = (
    ("Engagements", COMMITMENT_COLUMNS, commitment_rows),
    ("Questions", ITEM_COLUMNS, item_rows),
    ("Axes", AXIS_COLUMNS, axis_rows),
    ("Sites", SITE_COLUMNS, site_rows),
    ("Modes et périodes", OTHER_COLUMNS, other_rows),
)


def write_workbook(source: ReportSource, stream: BinaryIO) -> None:
    """Write the XLSX to the stream."""
    with Workbook(stream, OPTIONS) as workbook:
        _describe(workbook, source)
        styles = Styles(workbook)
        footer = f"{source.wave.organisation} – {source.wave.survey_title} – {source.wave.title}"[:200]
        write_summary(workbook, styles, source, footer=footer)
        for name, columns, rows in FIGURE_SHEETS:
            write_table(workbook, styles, name, columns, rows(source, styles), footer=footer)
        if source.earlier is not None and not source.earlier.unavailable:
            columns, lines = year_columns(source.earlier), year_rows(source, source.earlier)
            write_table(workbook, styles, SHEET, columns, lines, footer=footer)
        if source.rows:
            write_answers_sheets(workbook, styles, source, footer=footer)
        _write_codebook(workbook, styles, source, footer)
        write_method(workbook, styles, source, footer=footer)


def _describe(workbook: Workbook, source: ReportSource) -> None:
    workbook.set_size(2400, 1600)
    workbook.set_properties(
        {
            "title": f"{source.wave.survey_title} – {source.wave.title}",
            "company": source.wave.organisation,
            "created": source.written_at.replace(tzinfo=None),
        }
    )


def _write_codebook(workbook: Workbook, styles: Styles, source: ReportSource, footer: str) -> None:
    columns = [
        TableColumn(heading, width, wrap=True)
        for heading, width in zip(HEADINGS.values(), CODEBOOK_WIDTHS, strict=True)
    ]
    rows = codebook_rows(merged_items(source.versions.values()))
    write_table(workbook, styles, "Codes", columns, rows, footer=footer)
