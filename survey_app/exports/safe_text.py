"""Texts that strangers wrote, made harmless for the file they end in: one rule per sink.

A spreadsheet runs a cell that begins like a formula, even from a CSV
(https://owasp.org/www-community/attacks/CSV_Injection); a workbook breaks on characters that XML forbids.
"""

from __future__ import annotations

import re

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠﹦﹢﹣﹫"
"""What a spreadsheet may read as the start of a formula, full-width and small forms included."""

CELL_LIMIT = 32_767
"""Longest text of one cell in Excel, counted in UTF-16 units."""

_CUT = " … [texte coupé]"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE_START = " \u00a0\u202f\u2007\u200b\u200c\u200d\u2060\ufeff\u3000"


def plain_text(text: str) -> str:
    """The text without control characters; line ends become ``\\n``, lone surrogates U+FFFD."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE_SURROGATE.sub("\ufffd", _UNPRINTABLE.sub("", text))


def workbook_text(text: str) -> str:
    """What ``write_string`` may be given: it writes strings, never formulas, with one exception closed here.

    XlsxWriter copies a string from ``<r>`` to ``</r>`` into the file as rich text, unescaped.
    """
    text = plain_text(text)
    if len(text) > CELL_LIMIT // 2 and _utf16_length(text) > CELL_LIMIT:
        text = _cut(text)
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text


def csv_text(text: str) -> str:
    """The text with a leading apostrophe if a spreadsheet could take it for a formula."""
    text = plain_text(text)
    return f"'{text}" if text.lstrip(_INVISIBLE_START)[:1] in tuple(FORMULA_STARTS) else text


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")[: 2 * (CELL_LIMIT - len(_CUT))]
    return units.decode("utf-16-le", errors="ignore") + _CUT
