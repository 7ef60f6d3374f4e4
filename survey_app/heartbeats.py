"""What a tablet says of itself: each value is kept if it can be one, and left out if it is odd. Floor 4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from survey_app.access import REVOKED
from survey_app.audit import record
from survey_app.device_models import Device
from survey_app.responses import refusals
from survey_app.unknown_tablets import NOBODY

LARGEST_NUMBER: Final = 2**31 - 1
LARGEST_BEAT: Final = 2**53 - 1
"""The largest whole number that JavaScript counts to."""
LARGEST_OFFSET: Final = 100 * 365 * 86_400_000
DIGEST_LENGTH: Final = 64
LONGEST_CODE: Final = 40
MOST_DIGESTS: Final = 20
MOST_DAYS: Final = 62
MOST_RUNS: Final = 1_000
REFUSALS_KEPT: Final = timedelta(days=400)
COLOURS: Final = ("green", "amber", "red")


def remember(session: Session, device: Device, news: Mapping[str, Any], now: datetime) -> None:
    """Keep what a tablet says, unless it has said something later: calls are sent again, and arrive late."""
    beat, high_seq = whole(news.get("beat"), LARGEST_BEAT), whole(news.get("high_seq"))
    if _is_old(device, beat, high_seq):
        return
    device.last_contact_at = now
    device.beat = device.beat if beat is None else beat
    device.high_seq = _highest(device.high_seq, high_seq)
    device.pin_failures = _highest(device.pin_failures, whole(news.get("pin_failures")))
    for name, read in _LATEST.items():
        setattr(device, name, read(news.get(name)))
    if news.get("emptied") is True and device.state == REVOKED and device.emptied_at is None:
        device.emptied_at = now
        record(session, "device-emptied", actor=NOBODY, subject=device.name)
    device.battery_percent, device.charging = _battery(news.get("battery"))
    refusals.keep(session, device.id, _refusals(news.get("refusals"), now))


def _is_old(device: Device, beat: int | None, high_seq: int | None) -> bool:
    """By its number; an older app has none, and then the numbers of its records can only rise."""
    if beat is not None:
        return device.beat is not None and beat <= device.beat
    return high_seq is not None and high_seq < (device.high_seq or 0)


def _highest(before: int | None, told: int | None) -> int | None:
    return before if told is None else max(before or 0, told)


def whole(value: object, largest: int = LARGEST_NUMBER) -> int | None:
    """A whole number from zero to the largest that its column holds."""
    return value if type(value) is int and 0 <= value <= largest else None


def _digest(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) == DIGEST_LENGTH and value.isalnum() else None


def _digests(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [digest for one in value[:MOST_DIGESTS] if (digest := _digest(one)) is not None]


def _offset(value: object) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(value) if is_number and abs(value) <= LARGEST_OFFSET else None  # type: ignore[call-overload,arg-type]


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _colour(value: object) -> str | None:
    return value if isinstance(value, str) and value in COLOURS else None


def _code(value: object) -> str | None:
    plain = isinstance(value, str) and 0 < len(value) <= LONGEST_CODE and value.isascii()
    return str(value) if plain and str(value).replace("_", "").replace("-", "").isalnum() else None


def _runs(value: object) -> list[list[int]] | None:
    """First and last of each run of numbers, rising; None for anything else."""
    if not isinstance(value, list) or len(value) > MOST_RUNS:
        return None
    before = 0
    for run in value:
        if not isinstance(run, list) or len(run) != 2:  # noqa: PLR2004 (first and last)
            return None
        first, last = (whole(number) for number in run)
        if first is None or last is None or not before < first <= last:
            return None
        before = last
    return value


_LATEST: Final[Mapping[str, Callable[[object], Any]]] = {
    "waiting": whole,
    "quarantined": whole,
    "drafts": whole,
    "held": _runs,
    "former": whole,
    "retained": whole,
    "app_digest": _digest,
    "questionnaires": _digests,
    "clock_offset_ms": _offset,
    "persisted": _truth,
    "last_receipt_at": _moment,
    "readiness": _colour,
    "readiness_reason": _code,
}
"""What is true until the next call, and how each is read."""


def _battery(value: object) -> tuple[int | None, bool | None]:
    if not isinstance(value, dict):
        return None, None
    level = value.get("level")
    known = isinstance(level, int | float) and not isinstance(level, bool) and 0 <= level <= 1
    return round(level * 100) if known else None, _truth(value.get("charging"))  # type: ignore[operator]


def _refusals(value: object, now: datetime) -> dict[date, int]:
    """Day → number, for the latest days that can be: neither to come nor long past."""
    days = sorted(value.items(), reverse=True)[:MOST_DAYS] if isinstance(value, dict) else []
    read = [(_day(day), whole(count)) for day, count in days]
    first, last = (now - REFUSALS_KEPT).date(), (now + timedelta(days=1)).date()
    return {day: count for day, count in read if day and count and first <= day <= last}


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
