"""Months, quarters and weeks of the days on which people answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache

PERIOD_KINDS: Mapping[str, Callable[[date], str]] = {
    "month": lambda day: f"{day.year:04}-{day.month:02}",
    "quarter": lambda day: f"{day.year}-T{(day.month + 2) // 3}",
    "week": lambda day: "{}-S{:02d}".format(*day.isocalendar()),
}
"""``2026-11``, ``2026-T4`` (trimestre) and ``2026-S48`` (semaine ISO): they sort as time does."""

WEEK = "week"


def kind_of(period: str | None) -> str | None:
    """The kind of a period by its form; another text is a month in which nobody answered."""
    if period is None:
        return None
    return {"T": "quarter", "S": WEEK}.get(period[5:6], "month")


@lru_cache(maxsize=4096)
def period_of(day: date, kind: str) -> str:
    """The period of this kind that a day lies in."""
    return PERIOD_KINDS[kind](day)


def lies_in(day: date, period: str) -> bool:
    """Whether a day lies in a period of any kind."""
    return any(period_of(day, kind) == period for kind in PERIOD_KINDS)
