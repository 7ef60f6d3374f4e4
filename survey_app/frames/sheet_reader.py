"""Run apart, by its path: a workbook on standard input, its visible sheets as JSON on standard output.

A workbook is a program for its reader: what takes too much memory or time, or makes the reader fail, ends
here and not in the server. Nothing of ours is imported.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import resource
import sys
from typing import Any, Final

MEMORY: Final = 1 << 30
SECONDS: Final = 15
MOST_SHEETS: Final = 20
MOST_CELLS: Final = 3_000_000


def main() -> None:
    """Read, limit, write."""
    raw = sys.stdin.buffer.read()
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    ]
    json.dump([rows_of(book.get_sheet_by_name(name)) for name in names[:MOST_SHEETS]], sys.stdout)


def rows_of(sheet: Any) -> list[list[str]]:
    """All rows from the first line on, empty ones too: their place is their number."""
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise MemoryError
    return [[text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]


def text(cell: Any) -> str:
    """A cell as it is read on the screen: no « .0 » behind a code, no midnight behind a day."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


if __name__ == "__main__":
    main()
