"""The chart of the first sheet: a bar per engagement that leaves the threshold to the left or to the right.

A native chart, so that it can be copied into a presentation. The category axis stands at the threshold: it is
the 75 % line. The error bars are the intervals: one that crosses the line is « non distinguable ».
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.chart_bar import ChartBar
from xlsxwriter.worksheet import Worksheet

from analysis.axes import CommitmentResult
from survey_app.exports.safe_text import workbook_text
from survey_app.exports.words import VERDICT_LABELS, percent
from survey_app.exports.workbook_styles import ACCENT_DARK, FONT, INK, INK_SOFT, LINE, VERDICT_COLOURS

NAME, RATE, MINUS, PLUS = 11, 12, 13, 14
"""Hidden columns of « Synthèse » that the chart reads."""

LONGEST_NAME = 60


def write_chart_data(sheet: Worksheet, row: int, result: CommitmentResult) -> None:
    """The name with the shape of its verdict, the rate, and the two arms of its interval."""
    shape = VERDICT_LABELS[result.verdict][0] if result.verdict else "–"
    title = result.title if len(result.title) <= LONGEST_NAME else f"{result.title[: LONGEST_NAME - 1]}…"
    sheet.write_string(row, NAME, workbook_text(f"{title} {shape}"))
    rate = result.rate
    if rate is None:  # a blank draws no bar, where 0 would draw the longest one below the threshold
        return
    sheet.write_number(row, RATE, rate)
    sheet.write_number(row, MINUS, rate - result.low if result.low is not None else 0.0)
    sheet.write_number(row, PLUS, result.high - rate if result.high is not None else 0.0)


def rate_chart(
    workbook: Workbook, sheet: str, first: int, results: Sequence[CommitmentResult], threshold: float
) -> ChartBar:
    """The chart over rows ``first`` … of the hidden columns; the worst engagement stands at the top."""
    last = first + len(results) - 1
    chart: ChartBar = workbook.add_chart({"type": "bar"})
    chart.add_series(
        {
            "categories": [sheet, first, NAME, last, NAME],
            "values": [sheet, first, RATE, last, RATE],
            "points": [{"fill": {"color": VERDICT_COLOURS[result.verdict][0]}} for result in results],
            "gap": 60,
            "y_error_bars": _intervals(sheet, first, last),
            "data_labels": {"value": False},
        }
    )
    chart.set_legend({"none": True})
    chart.show_hidden_data()
    chart.set_x_axis(_value_axis(results, threshold))
    chart.set_y_axis(_category_axis())
    chart.set_chartarea({"border": {"none": True}})
    chart.set_title({"none": True})
    chart.set_size({"width": 1085, "height": 70 + 30 * len(results)})
    return chart


def _intervals(sheet: str, first: int, last: int) -> dict[str, Any]:
    return {
        "type": "custom",
        "plus_values": f"='{sheet}'!{_range(first, last, PLUS)}",
        "minus_values": f"='{sheet}'!{_range(first, last, MINUS)}",
        "line": {"color": INK, "width": 1.5},
    }


def _range(first: int, last: int, column: int) -> str:
    letter = chr(ord("A") + column)
    return f"${letter}${first + 1}:${letter}${last + 1}"


def _value_axis(results: Sequence[CommitmentResult], threshold: float) -> dict[str, Any]:
    lowest = min([threshold - 0.1, *(_lower_end(result) for result in results)])
    return {
        "min": max(0.0, math.floor(lowest * 10) / 10),
        "max": 1,
        "crossing": threshold,
        "major_unit": 0.1,
        "num_format": "0 %",
        "num_font": {"name": FONT, "size": 9, "color": INK_SOFT},
        "major_gridlines": {"visible": True, "line": {"color": LINE, "width": 0.5}},
        "line": {"none": True},
        "name": f"Trait fort\u00a0: seuil de {percent(threshold)}. Trait fin\u00a0: intervalle.",
        "name_font": {"name": FONT, "size": 9, "color": INK_SOFT, "bold": False},
    }


def _lower_end(result: CommitmentResult) -> float:
    bounds = [bound for bound in (result.low, result.rate) if bound is not None]
    return min(bounds, default=1.0)


def _category_axis() -> dict[str, Any]:
    return {
        "reverse": True,
        "crossing": "max",
        "label_position": "low",
        "num_font": {"name": FONT, "size": 10, "color": INK},
        "line": {"color": ACCENT_DARK, "width": 2.25},
        "major_tick_mark": "none",
    }
