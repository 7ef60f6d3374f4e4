"""What the page of every link says before its button: the same for all of them. Floor 5.

Nothing here depends on the link: it is read from the editions that are open today, so that the page stays the
same for a link that is good, used up or made up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from flask import Response, request

from form_definitions import LANGUAGES
from survey_app.clock import today_in_paris
from survey_app.collection_modes.link_opening import NOT_FOUND, in_words, said
from survey_app.collection_modes.public_pages import chosen_language, page, speak
from survey_app.database import db
from survey_app.invitation_models import WaveFrame
from survey_app.invitations.preparing import MODE
from survey_app.models import Wave
from survey_app.open_waves import open_waves, published_in
from survey_app.waves import CLOSED, OPEN, PUBLISHED, SEALED

T = TypeVar("T")
LONGEST_CODE: Final = 40
OVER: Final = (CLOSED, SEALED, PUBLISHED)


def opening(token: str) -> Response:
    """The page of any link, or with an empty token the field for a letter code, in the reader's language."""
    speak(chosen_language())
    response = _page(token)
    response.vary.add("Accept-Language")
    return response


def unknown() -> Response:
    """What is said to a link or a code that nobody was given; a code stays in its field, to be mended."""
    code = request.form.get("_code", "")
    return _page("", NOT_FOUND, wrong_code=code[:LONGEST_CODE]) if code else said("unknown", NOT_FOUND)


def _page(token: str, status: int = 200, *, wrong_code: str = "") -> Response:
    choices = list(LANGUAGES.values())
    values = {"token": token, "wrong_code": wrong_code, "choices": choices, **_welcome()}
    response = page("personal_link/open.html", status, **values)
    response.headers["Cache-Control"] = "no-store"
    return response


def _welcome() -> dict[str, Any]:
    """``is_open``, ``is_over``, ``nominative``; ``minutes``, ``until``: None where open editions differ.

    ``is_over``: links of ended editions are about. ``nominative``: None where open editions differ in it.
    """
    today = today_in_paris()
    waves = open_waves(MODE, today)
    last_day = _only({wave.closes_on for wave in waves})
    return {
        "is_open": bool(waves),
        "minutes": _only({published_in(wave).questionnaire.estimated_minutes for wave in waves}),
        "until": last_day and in_words(last_day),
        "nominative": _nominative([wave.id for wave in waves]),
        "is_over": _some_are_over(today),
    }


def _nominative(waves: list[str]) -> bool | None:
    query = sa.select(WaveFrame.nominative).where(WaveFrame.wave_id.in_(waves))
    return _only(set(db.session.scalars(query)))


def _some_are_over(today: dt.date) -> bool:
    """Whether links of an edition that asks no more still open its results, or say that they will come."""
    ended = sa.or_(Wave.state.in_(OVER), sa.and_(Wave.state == OPEN, Wave.closes_on < today))
    until = sa.or_(WaveFrame.results_until.is_(None), WaveFrame.results_until >= today)
    query = sa.select(WaveFrame.wave_id).join(Wave).where(ended, until)
    return db.session.scalar(query.limit(1)) is not None


def _only(values: Collection[T]) -> T | None:
    """The one value there is."""
    return next(iter(values)) if len(values) == 1 else None
