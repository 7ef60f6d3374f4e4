"""The results by post: an addressed page around the signed letter, for who has no working e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import sqlalchemy as sa
from flask import render_template
from sqlalchemy.orm import joinedload

from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.frames.letters import LETTER_CSS, laid_out, qr_code, recipient_of
from survey_app.invitation_models import Invitation, WaveFrame
from survey_app.invitations.links import letter_address, letter_code, link_address
from survey_app.invitations.states import OBJECTED, UNREACHABLE, WITHDRAWN, WRONG_PERSON
from survey_app.mailing.values import salutation
from survey_app.models import Wave
from survey_app.strata import territories_of

NEVER: Final = (OBJECTED, WRONG_PERSON, WITHDRAWN)
"""Who gets nothing at all."""


def without_mail(wave_id: str) -> Sequence[Invitation]:
    """Those who have no address, or one that does not work; in the order of their authorities."""
    query = (
        sa.select(Invitation)
        .where(Invitation.wave_id == wave_id, Invitation.state.not_in(NEVER))
        .where(sa.or_(Invitation.email.is_(None), Invitation.state == UNREACHABLE))
        .options(joinedload(Invitation.unit))
    )
    return sorted(db.session.scalars(query), key=lambda one: (one.unit.authority_code, one.unit.line))


def letters_by_post(wave: Wave, frame: WaveFrame, today: date | None = None) -> bytes:
    """One page for each of them, with the code of their link. Raises `LettersUnavailable`."""
    letters = [
        {
            "recipient": recipient_of(one.unit),
            "salutation": salutation(one.unit),
            "code": letter_code(one),
            "qr": qr_code(link_address(one)),
        }
        for one in without_mail(wave.id)
    ]
    page = render_template(
        "staff/letter_results_by_post.html",
        letters=letters,
        wave=wave,
        until=frame.results_until,
        nominative=frame.nominative,
        by_territory=len(territories_of(frame)) > 1,
        written_on=today or today_in_paris(),
        typed_address=letter_address(),
        organisation=organisation(),
    )
    pdf: bytes = laid_out(page, LETTER_CSS).write_pdf(pdf_variant="pdf/ua-1")
    return pdf
