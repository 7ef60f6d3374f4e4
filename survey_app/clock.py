"""The time: UTC for what is kept, the calendar of the prefecture for what people call a day. Floor 2."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")


def utc_now() -> dt.datetime:
    """The present moment."""
    return dt.datetime.now(dt.UTC)


def day_in_paris(moment: dt.datetime) -> dt.date:
    """The day of a moment on the prefecture's calendar."""
    return moment.astimezone(PARIS).date()


def today_in_paris() -> dt.date:
    """The present day on the prefecture's calendar."""
    return day_in_paris(utc_now())


def midnight_after(day: dt.date) -> dt.datetime:
    """The moment at which a day ends on the prefecture's calendar."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), PARIS).astimezone(dt.UTC)
