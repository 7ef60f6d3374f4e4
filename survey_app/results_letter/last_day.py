"""The last day on which personal links open the results: every mail says it, so it never comes earlier."""

from __future__ import annotations

import datetime as dt
from typing import Final

from survey_app.audit import act, record
from survey_app.exports.words import day_words
from survey_app.invitation_models import WaveFrame
from survey_app.models import Wave

LONGEST: Final = dt.timedelta(days=3 * 366)


class LastDayError(ValueError):
    """This day cannot be the last one; the message (French) says why."""


def set_results_until(wave_id: str, until: dt.date, *, actor: str) -> None:
    """Let the links of a wave open its results until this day. Raises `LastDayError`."""
    with act() as transaction:
        wave = transaction.get_one(Wave, wave_id)
        frame = transaction.get_one(WaveFrame, wave_id)
        earliest = max(wave.closes_on, frame.results_until or wave.closes_on)
        if until < earliest:
            raise LastDayError(
                f"Choisissez le {day_words(earliest)} ou plus tard\u00a0: "
                "c’est la clôture, ou le jour déjà promis aux élus."
            )
        if until > wave.closes_on + LONGEST:
            raise LastDayError("Choisissez un jour dans les trois ans qui suivent la clôture.")
        frame.results_until = until
        detail = {"until": until.isoformat()}
        record(transaction, "results-until-set", actor=actor, subject=wave_id, detail=detail)
