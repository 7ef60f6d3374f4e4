"""The look of the workbook: the tokens of the screens, as cell formats."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format

INK, INK_SOFT, LINE, MIST = "#1C1E26", "#4A4F5C", "#C9CED8", "#F4F6F9"
ACCENT, ACCENT_DARK, ACCENT_MIST = "#14507A", "#0D3A5A", "#E6F0F7"
FONT = "Calibri"

PERCENT = "0.0 %"
WHOLE = "#,##0"
DECIMAL = "#,##0.0"
DAY = "dd/mm/yyyy"

VERDICT_COLOURS: dict[str | None, tuple[str, str]] = {
    "below": ("#A3271E", "#F6E9E8"),
    "not_distinguishable": ("#7A5A00", "#F2EFE6"),
    "above": ("#1B6A3C", "#E8F0EC"),
    "too_few": ("#555B68", "#EEEFF0"),
    None: ("#555B68", "#FFFFFF"),
}
"""Verdict → colour of the words, tint behind them."""


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def make(self, **properties: Any) -> Format:
        """A format with the house font and these properties; the same properties give the same format."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": FONT, "font_size": 11, "font_color": INK, "valign": "vcenter"}
            self._made[key] = self._workbook.add_format(base | properties)
        return self._made[key]

    def cell(self, number_format: str | None = None, **properties: Any) -> Format:
        """A table cell: a hairline below, numbers in their format."""
        more = {"num_format": number_format} if number_format else {}
        return self.make(bottom=1, bottom_color=LINE, **more, **properties)

    def verdict(self, verdict: str | None, **properties: Any) -> Format:
        """The chip of a verdict: bold words on their tint."""
        ink, tint = VERDICT_COLOURS[verdict]
        return self.cell(font_color=ink, bg_color=tint, bold=True, **properties)

    @cached_property
    def heading(self) -> Format:
        """The frozen first row of a table."""
        return self._heading(indent=1)

    @cached_property
    def number_heading(self) -> Format:
        """The same above numbers, which stand to the right."""
        return self._heading(align="right")

    def _heading(self, **properties: Any) -> Format:
        colours = {"font_color": "#FFFFFF", "bg_color": ACCENT, "bottom_color": ACCENT_DARK}
        return self.make(bold=True, text_wrap=True, bottom=2, **colours, **properties)

    @cached_property
    def small(self) -> Format:
        """Secondary text."""
        return self.make(font_size=9, font_color=INK_SOFT)

    @cached_property
    def wrapped(self) -> Format:
        """A table cell with a long text."""
        return self.cell(text_wrap=True, valign="top")
