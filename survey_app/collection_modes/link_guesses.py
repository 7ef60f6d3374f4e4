"""Links and letter codes that nobody was given: slowed down per caller, and an alarm when they become many.

A guess is 192 bits off, a letter code 60. The alarm is one line without address or link, and a day in the
database that ``survey-app doctor`` reports.
"""

from __future__ import annotations

import logging
from collections import deque
from threading import Lock
from time import monotonic
from typing import Final

from flask import abort
from limits import parse_many

from survey_app import server_facts
from survey_app.clock import today_in_paris
from survey_app.database import DatabaseUnavailable, write_transaction
from survey_app.rate_limits import here

log = logging.getLogger(__name__)
PER_CALLER: Final = parse_many("20 per hour")
ROUTE: Final = "unknown personal link"
ALARM: Final = 200
"""Unknown links within an hour, from all callers of one process."""
HOUR_SECONDS: Final = 3600.0


class GuessAlarm:
    """Counts the unknown links of the last hour; rings once an hour at most."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=ALARM)
        self._rang_at: float | None = None
        self._lock = Lock()

    def count(self, now: float) -> bool:
        """One more; whether to ring now."""
        with self._lock:
            self._times.append(now)
            within_an_hour = self._times[0] > now - HOUR_SECONDS
            quiet = self._rang_at is None or self._rang_at <= now - HOUR_SECONDS
            if len(self._times) < ALARM or not within_an_hour or not quiet:
                return False
            self._rang_at = now
            return True


_alarm: Final = GuessAlarm()


def count_guess() -> None:
    """A link or a code that nobody was given was named; 429 for a caller that has named many.

    Whoever has a real link passes all the same: a whole town hall may call from one address.
    """
    if _alarm.count(monotonic()):
        log.warning("personal links: more than %d unknown ones were tried within an hour", ALARM)
        try:
            with write_transaction() as transaction:
                server_facts.write(transaction, server_facts.LINK_GUESSES, today_in_paris().isoformat())
        except DatabaseUnavailable:
            log.info("personal links: the alarm stands in this log alone")
    if not here().allow(PER_CALLER, ROUTE):
        abort(429)
