"""What a personal link or a letter code leads to, and pages that tell how it stands. Floor 5."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from babel.dates import format_date
from flask import Response, request

from survey_app import i18n
from survey_app.clock import today_in_paris
from survey_app.collection_modes import link_guesses
from survey_app.collection_modes.personal_link_results import results_of
from survey_app.collection_modes.public_pages import page
from survey_app.database import db
from survey_app.invitation_models import Invitation, WaveFrame
from survey_app.invitations import links
from survey_app.invitations.redemption import Holder
from survey_app.invitations.states import ANSWERED, MAY_ANSWER, OPEN
from survey_app.models import Wave

NOT_FOUND: Final = 404
GONE: Final = 410
DRAFT: Final = "draft"


@dataclass(frozen=True)
class Opened:
    """What a link or a letter code leads to."""

    invitation: Invitation
    wave: Wave
    frame: WaveFrame

    @property
    def holder(self) -> Holder:
        """Whoever has this link."""
        return Holder(self.invitation.id, self.invitation.generation)

    @property
    def is_over(self) -> bool:
        """Closed, or past its last day."""
        return self.wave.state not in (DRAFT, OPEN) or self.wave.closes_on < today_in_paris()

    @property
    def is_open(self) -> bool:
        """Whether an answer can be begun today."""
        return self.wave.state == OPEN and self.wave.opens_on <= today_in_paris() <= self.wave.closes_on


def said(kind: str, status: int = 200, **values: Any) -> Response:
    """A page that tells how things stand with a link."""
    response = page("personal_link/said.html", status, kind=kind, **values)
    response.headers["Cache-Control"] = "no-store"
    return response


def find_opened() -> Opened | None:
    """Whose link or letter code was sent; None for one that nobody was given."""
    session, link, code = db.session(), request.form.get("_link", ""), request.form.get("_code", "")
    found = links.by_token(session, link) if link else links.by_letter_code(session, code)
    frame = None if found is None else session.get(WaveFrame, found.wave_id)
    if found is None or frame is None:
        link_guesses.count_guess()
        return None
    return Opened(found, frame.wave, frame)


def standing(opened: Opened) -> Response | None:
    """What is said instead of the questionnaire; None where it can be answered."""
    if opened.is_over:
        return results_of(opened.invitation, opened.wave, opened.frame)
    if opened.invitation.state == ANSWERED:
        return said("answered")
    if opened.invitation.state not in MAY_ANSWER:
        return said("dead", GONE)
    return None if opened.is_open else said("not_yet", since=in_words(opened.wave.opens_on))


def in_words(day: dt.date) -> str:
    """A day in the language of the page."""
    return format_date(day, format="long", locale=i18n.current_language())
