"""What the page of every link says before its button: the same for all of them. Floor 5.

Nothing here depends on the link: it is read from the editions that are open today, so that the page stays the
same for a link that is good, used up or made up.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

import sqlalchemy as sa

from survey_app.clock import today_in_paris
from survey_app.collection_modes.link_opening import in_words
from survey_app.database import db
from survey_app.invitation_models import WaveFrame
from survey_app.invitations.preparing import MODE
from survey_app.open_waves import open_waves, published_in

T = TypeVar("T")


def welcome() -> dict[str, Any]:
    """``is_open``; ``minutes`` and ``until`` where all open editions agree, else None; ``nominative``.

    ``nominative`` is None where some open editions are and some are not.
    """
    waves = open_waves(MODE, today_in_paris())
    last_day = _only({wave.closes_on for wave in waves})
    return {
        "is_open": bool(waves),
        "minutes": _only({published_in(wave).questionnaire.estimated_minutes for wave in waves}),
        "until": last_day and in_words(last_day),
        "nominative": _nominative([wave.id for wave in waves]),
    }


def _nominative(waves: list[str]) -> bool | None:
    query = sa.select(WaveFrame.nominative).where(WaveFrame.wave_id.in_(waves))
    return _only(set(db.session.scalars(query)))


def _only(values: Collection[T]) -> T | None:
    """The one value there is."""
    return next(iter(values)) if len(values) == 1 else None
