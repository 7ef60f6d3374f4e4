"""One sheet that is one table: frozen header, widths that fit, filter, print area on A4 landscape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate
from math import ceil
from textwrap import wrap
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from survey_app.exports.safe_text import workbook_text
from survey_app.exports.workbook_styles import Styles

A4 = 9
LAST_ROW = 1_048_575
LINE_HEIGHT, ROW_PADDING = 14.5, 4.0
"""In points."""
LETTER = 1.1
"""Width of an average letter with its share of the line ends, in Excel’s characters."""
INDENT = 1.3
"""What a text is set in, in the same unit."""
CHARACTER, PADDING, PRINTABLE = 1.85, 1.3, 271.0
"""In millimetres: one of Excel’s characters, what a column adds to its own, and a line of A4 lying down."""
LEGIBLE, COMFORTABLE = 0.7, 75
"""Under 70 % of its size (7.7 points) a table goes on on a second sheet of paper, at 75 %."""
HIGHEST_HEADER = 130.0
TableCell = str | int | float | Fraction | date | None


@dataclass(frozen=True)
class TableColumn:
    """Heading, width in characters, and number format of one column."""

    heading: str
    width: float
    number_format: str | None = None
    wrap: bool = False

    def style(self, styles: Styles) -> Format:
        """The format of its cells."""
        wrapping: dict[str, Any] = {"text_wrap": True} if self.wrap else {}
        # A text stands off the number to its left, which ends at the very edge of its cell.
        indent: dict[str, Any] = {} if self.number_format else {"indent": 1}
        return styles.cell(self.number_format, **wrapping, **indent)


@dataclass(frozen=True)
class Styled:
    """A cell with a format of its own (a verdict)."""

    value: TableCell
    style: Format


def write_cell(sheet: Worksheet, row: int, column: int, value: TableCell, style: Format) -> None:
    """Numbers as numbers, days as days, all else as strings: nothing is guessed to be a formula or a link."""
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, workbook_text(value), style)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, style)
    else:
        sheet.write_number(row, column, float(value) if isinstance(value, Fraction) else value, style)


def add_sheet(workbook: Workbook, name: str, *, footer: str, landscape: bool = True) -> Worksheet:
    """An empty sheet for the printer: A4, page numbers."""
    sheet = workbook.add_worksheet(name)
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.set_footer(f"&L&8{footer.replace('&', '&&')}&R&8Page &P sur &N")
    return sheet


def write_table(
    workbook: Workbook,
    styles: Styles,
    name: str,
    columns: Sequence[TableColumn],
    rows: Iterable[Sequence[TableCell | Styled]],
    *,
    footer: str,
    frozen_columns: int = 1,
) -> Worksheet:
    """Write the whole sheet in row order (the workbook keeps one row in memory)."""
    sheet = add_sheet(workbook, name, footer=footer)
    formats = _write_header(sheet, styles, columns)
    last = 0
    for last, row in enumerate(rows, start=1):
        sheet.set_row(last, row_height(row, columns))
        for position, (cell, style) in enumerate(zip(row, formats, strict=True)):
            if isinstance(cell, Styled):
                write_cell(sheet, last, position, cell.value, cell.style)
            else:
                write_cell(sheet, last, position, cell, style)
    finish_table(sheet, last, [column.width for column in columns], frozen_columns)
    return sheet


def row_height(row: Sequence[TableCell | Styled], columns: Sequence[TableColumn]) -> float:
    """The height that the longest wrapped text needs: not every program finds it by itself."""
    texts = (cell.value if isinstance(cell, Styled) else cell for cell in row)
    lines = [
        ceil(len(text) * LETTER / (column.width - INDENT))
        for text, column in zip(texts, columns, strict=True)
        if column.wrap and isinstance(text, str)
    ]
    return LINE_HEIGHT * max([1, *lines]) + ROW_PADDING


def header_height(headings: Iterable[tuple[str, float]]) -> float:
    """The height that these headings, each over its width, need: bold words, broken at spaces."""
    lines = [
        sum(max(1, len(wrap(part, max(4, int(width / LETTER))))) for part in heading.split("\n"))
        for heading, width in headings
    ]
    return min(HIGHEST_HEADER, LINE_HEIGHT * max([2, *lines]) + ROW_PADDING)


def _write_header(sheet: Worksheet, styles: Styles, columns: Sequence[TableColumn]) -> list[Format]:
    formats = [column.style(styles) for column in columns]
    sheet.set_row(0, header_height((column.heading, column.width) for column in columns))
    for position, column in enumerate(columns):
        sheet.set_column(position, position, column.width)
        style = styles.number_heading if column.number_format else styles.heading
        sheet.write_string(0, position, workbook_text(column.heading), style)
    return formats


def finish_table(sheet: Worksheet, last_row: int, widths: Sequence[float], frozen_columns: int) -> None:
    """Freeze, filter, repeat the header on every page, print only the table."""
    sheet.freeze_panes(1, frozen_columns)
    sheet.autofilter(0, 0, last_row, len(widths) - 1)
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, last_row, len(widths) - 1)
    fit_to_paper(sheet, widths)


def fit_to_paper(sheet: Worksheet, widths: Sequence[float]) -> None:
    """One sheet of paper wide where that stays legible; else several, each with the first column."""
    if columns_on_paper(widths) == len(widths):
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(COMFORTABLE)
        sheet.repeat_columns(0)


def columns_on_paper(widths: Sequence[float]) -> int:
    """How many of these columns stand on one sheet of paper and stay legible."""
    ends = accumulate(width * CHARACTER + PADDING for width in widths)
    return sum(PRINTABLE / end >= LEGIBLE for end in ends)
