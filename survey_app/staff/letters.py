"""Letters to officials whom no mail reaches: a specimen, one, and those of an edition. Floor 5."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

import sqlalchemy as sa
from flask import Blueprint, Response, abort, make_response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from survey_app import access
from survey_app.access import DIRECTOR, REFERENT
from survey_app.audit import record_export
from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.frames.letters import (
    Letter,
    LettersUnavailable,
    Occasion,
    letters_pdf,
    recipient_of,
)
from survey_app.frames.storage import find_frame, units_of
from survey_app.invitation_models import Invitation, SampledUnit, SamplingFrame, WaveFrame
from survey_app.invitations.links import letter_address, letter_code, link_address
from survey_app.invitations.states import MAY_ANSWER, UNREACHABLE, WAITING, LinkKeyChanged
from survey_app.mailing.texts import INVITATION, opening
from survey_app.mailing.values import salutation
from survey_app.models import Wave
from survey_app.questionnaires import questionnaire_of
from survey_app.staff.pages import actor, refused, wave_or_404
from survey_app.waves import DRAFT, OPEN

blueprint = Blueprint("staff_letters", __name__, url_prefix="/gestion")
OFFICIALS_MODULE: Final = 4
"""Of the référentiel: relations with local authorities."""
SPECIMEN: Final = "0000-0000-0000"
USUAL_TITLE: Final = "Votre avis sur les services de l’État"
USUAL_MINUTES: Final = 5


@blueprint.get("/listes/<int:frame_id>/lettre.pdf")
@access.roles(DIRECTOR)
def specimen(frame_id: int) -> ResponseReturnValue:
    """The letter to the first one who would get one, with a code that opens nothing."""
    frame = find_frame(frame_id)
    units = units_of(frame_id)
    if frame is None or not units:
        abort(404)
    unit = next((unit for unit in units if not unit.email and unit.postal_address), units[0])
    letter = Letter(recipient_of(unit), salutation(unit), letter_address(), SPECIMEN)
    return _pdf([letter], _occasion(frame, specimen=True), "lettre-specimen")


@blueprint.get("/editions/<wave_id>/lettres.pdf")
@access.roles(REFERENT)
def letters(wave_id: str) -> ResponseReturnValue:
    """A page for everybody of the edition whom no mail reaches and who has not answered.

    Names of who has not, with links that answer: for the referent alone.
    """
    wave, snapshot = wave_or_404(wave_id), db.session.get(WaveFrame, wave_id)
    if snapshot is None:
        abort(404)
    invited = without_email(wave_id)
    if not invited:
        return refused("staff/letters_none.html", "Personne de cette édition n’attend une lettre.", wave=wave)
    answer = _pdf(map(_letter, invited), _occasion(snapshot.frame, wave, snapshot), f"lettres-{wave_id}")
    if request.method == "GET" and answer.status_code == HTTPStatus.OK:
        record_export("lettres", actor=actor(), subject=wave_id, limits={"letters": len(invited)})
    return answer


@blueprint.get("/destinataires/<invitation_id>/lettre.pdf")
@access.roles(REFERENT)
def one_letter(invitation_id: str) -> ResponseReturnValue:
    """The letter of one recipient, also of one who has an electronic address."""
    invitation = db.session.get(Invitation, invitation_id, options=[joinedload(Invitation.unit)])
    if invitation is None:
        abort(404)
    snapshot = db.session.get_one(WaveFrame, invitation.wave_id)
    wave = wave_or_404(invitation.wave_id)
    if wave.state not in (DRAFT, OPEN) or invitation.state not in MAY_ANSWER:
        return refused("staff/letters_none.html", "Ce lien n’ouvre plus rien\u00a0: remplacez-le d’abord.")
    answer = _pdf(map(_letter, [invitation]), _occasion(snapshot.frame, wave, snapshot), f"lettre-{wave.id}")
    if request.method == "GET" and answer.status_code == HTTPStatus.OK:
        record_export("lettres", actor=actor(), subject=wave.id, limits={"letters": 1})
    return answer


def without_email(wave_id: str) -> Sequence[Invitation]:
    """Who gets a letter: no address, or one where nobody can be reached. As the envelopes lie: by commune."""
    query = sa.select(Invitation).join(SampledUnit).options(joinedload(Invitation.unit))
    query = query.where(
        Invitation.wave_id == wave_id,
        sa.or_(
            sa.and_(Invitation.state == WAITING, Invitation.email.is_(None)),
            Invitation.state == UNREACHABLE,
        ),
        SampledUnit.postal_address.is_not(None),
    )
    return db.session.scalars(query.order_by(SampledUnit.authority_code, Invitation.id)).all()


def _letter(invitation: Invitation) -> Letter:
    unit = invitation.unit
    return Letter(recipient_of(unit), salutation(unit), link_address(invitation), letter_code(invitation))


def _occasion(
    frame: SamplingFrame,
    wave: Wave | None = None,
    snapshot: WaveFrame | None = None,
    *,
    specimen: bool = False,
) -> Occasion:
    own, today = organisation(), today_in_paris()
    asked = questionnaire_of(wave.questionnaire_version) if wave else None
    director = (own.director.name, own.director.title)
    return Occasion(
        title=asked.title if asked else USUAL_TITLE,
        minutes=asked.estimated_minutes if asked else USUAL_MINUTES,
        closes_on=wave.closes_on if wave else today,
        written_on=today,
        source=frame.source,
        source_date=frame.source_date,
        typed_address=letter_address(),
        nominative=bool(snapshot and snapshot.nominative),
        signed_by=tuple(filter(None, director)),
        service=next((one.name for one in own.services if OFFICIALS_MODULE in one.modules), ""),
        verified_at=_verified_at(),
        specimen=specimen,
        opening=opening(INVITATION, wave.questionnaire_version.slug) if wave else "",
    )


def _verified_at() -> str:
    """The page and the telephone number where a doubtful reader asks."""
    own = organisation()
    return ", ".join(filter(None, (own.contact.verification_page or own.website, own.director.phone)))


def _pdf(letters: Iterable[Letter], occasion: Occasion, name: str) -> Response:
    try:
        pdf = letters_pdf(list(letters), occasion, organisation())
    except (LettersUnavailable, LinkKeyChanged) as fault:
        return make_response(refused("staff/letters_none.html", str(fault)))
    answer = Response(pdf, mimetype="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}.pdf")
    return answer
