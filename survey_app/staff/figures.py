"""Figures as the pages of results show them: named lines in words, each with its drawing. Floor 5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.axes import Result
from analysis.publication import judge
from analysis.wave_report import WaveSettings
from survey_app import charts
from survey_app.exports.words import outward, rate_words
from survey_app.staff.pages import one_decimal


@dataclass(frozen=True)
class Row:
    """One line of the table: the figures in words, and the drawing."""

    result: Result
    drawing: str
    rate: str
    interval: str
    flags: tuple[str, ...]
    hidden: bool


@dataclass(frozen=True)
class Table:
    """Named rows that share one drawing frame."""

    scale: str
    rows: tuple[tuple[str, Row], ...]


def table(named: Iterable[tuple[str, Result]], settings: WaveSettings, prefix: str) -> Table:
    """A table of figures; `prefix` keeps the ids of its drawings apart from those of the others."""
    pairs = tuple(named)
    frame = charts.frame_of((result for _, result in pairs), settings.threshold)
    rows = (_row(result, frame, settings.minimum_base, f"{prefix}{n}") for n, (_, result) in enumerate(pairs))
    return Table(frame.scale(), tuple(zip((name for name, _ in pairs), rows, strict=True)))


def _row(result: Result, frame: charts.Frame, minimum_base: int, identifier: str) -> Row:
    """A result ready to be shown to staff; under the floor it keeps its place and loses its figures."""
    judged = judge(result, "staff", minimum_base)
    hidden = any(flag.hides for flag in judged)
    return Row(
        result=result,
        drawing=frame.blank() if hidden else frame.row(result, identifier),
        rate="–" if result.rate is None or hidden else rate_words(result, frame.threshold),
        interval="–" if hidden else _interval_words(result),
        flags=tuple(flag.reason for flag in judged),
        hidden=hidden,
    )


def _interval_words(result: Result) -> str:
    """« 73,2 – 83,0 % », rounded outward."""
    low, high = outward(result.interval)
    if low is None or high is None:
        return "–"
    return f"{one_decimal(low)[:-2]} – {one_decimal(high)}"
