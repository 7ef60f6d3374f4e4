"""How a table becomes CSV: two presets, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import BinaryIO

from survey_app.exports.safe_text import csv_text

CsvCell = str | int | float | Fraction | date | None


@dataclass(frozen=True)
class CsvPreset:
    """Separator, mark at the start, decimal sign and dates of one way to write CSV."""

    delimiter: str
    byte_order_mark: bool
    decimal_sign: str
    day_format: str

    def text(self, cell: CsvCell) -> str:
        """The cell as it stands in the file; numbers keep their sign, texts are made harmless."""
        match cell:
            case None:
                return ""
            case str():
                return csv_text(cell)
            case date():
                return cell.strftime(self.day_format)
            case int():
                return str(cell)
        return repr(float(cell)).replace(".", self.decimal_sign)


FRENCH = CsvPreset(";", byte_order_mark=True, decimal_sign=",", day_format="%d/%m/%Y")
"""Opens right with a double click in a French Excel."""

OPEN = CsvPreset(",", byte_order_mark=False, decimal_sign=".", day_format="%Y-%m-%d")
"""UTF-8, comma, ISO dates: what programs and open-data portals expect."""


def write_csv(
    stream: BinaryIO, preset: CsvPreset, headings: Sequence[str], rows: Iterable[Sequence[CsvCell]]
) -> None:
    """Write the headings and the rows; the stream stays open."""
    if preset.byte_order_mark:
        stream.write(b"\xef\xbb\xbf")
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=preset.delimiter, lineterminator="\r\n")
    writer.writerow([csv_text(heading) for heading in headings])
    cell_text = preset.text
    writer.writerows([cell_text(cell) for cell in row] for row in rows)
    text.flush()
    text.detach()
