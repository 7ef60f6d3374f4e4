"""One recipient of an edition to officials: found by commune, given another link, a letter, or none. Floor 5.

Who has answered and who has not can be read here until the closing: for the referent alone.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from survey_app import access
from survey_app.access import REFERENT
from survey_app.database import db
from survey_app.frames.headings import normalised
from survey_app.frames.words import office_words
from survey_app.invitation_models import Invitation
from survey_app.invitations import links, transitions
from survey_app.invitations.objections import objects
from survey_app.invitations.states import ANSWERED, LINKS_STAY, MAY_ANSWER, STATES, WITHDRAWN, LinkError
from survey_app.staff.pages import actor, refused, wave_or_404
from survey_app.waves import DRAFT, OPEN

blueprint = Blueprint("staff_recipients", __name__, url_prefix="/gestion")
ONE: Final = "/destinataires/<invitation_id>"
SHOWN: Final = 50


@blueprint.get("/editions/<wave_id>/destinataires")
@access.roles(REFERENT)
def search(wave_id: str) -> ResponseReturnValue:
    """Those of a commune, by a part of its name, its code, or the name of a person."""
    wave, asked = wave_or_404(wave_id), request.args.get("commune", "")
    found = _found(wave.id, asked)
    return render_template(
        "staff/recipients.html", wave=wave, asked=asked, found=found[:SHOWN], number=len(found), states=STATES
    )


@blueprint.get(ONE)
@access.roles(REFERENT)
def show(invitation_id: str) -> ResponseReturnValue:
    """Who it is, how it stands, and what can be done."""
    return render_template("staff/recipient.html", **_page(_one_or_404(invitation_id)))


@blueprint.post(f"{ONE}/retirer")
@access.roles(REFERENT)
def revoke(invitation_id: str) -> ResponseReturnValue:
    """The link opens nothing any more, and no mail leaves."""
    invitation = _one_or_404(invitation_id)
    try:
        _still_to_change(invitation)
        transitions.revoke(invitation_id, actor=actor())
    except LinkError as fault:
        return refused("staff/recipient.html", str(fault), **_page(invitation))
    flash("Le lien est retiré\u00a0: il n’ouvre plus rien, et aucun message ne partira.")
    return redirect(url_for("staff_recipients.show", invitation_id=invitation_id), 303)


@blueprint.post(f"{ONE}/remplacer")
@access.roles(REFERENT)
def reissue(invitation_id: str) -> ResponseReturnValue:
    """Another link, for the address that was typed or the one that is known."""
    invitation, address = _one_or_404(invitation_id), request.form.get("adresse", "").strip()
    try:
        _still_to_change(invitation)
        if objects(db.session(), address or links.address_of(invitation)):
            raise LinkError(
                "Cette personne s’oppose à tout envoi\u00a0: rien ne lui sera écrit. "
                "Donnez l’adresse de qui lui succède, s’il y a lieu."
            )
        transitions.reissue(invitation_id, actor=actor(), address=address or None)
    except LinkError as fault:
        return refused("staff/recipient.html", str(fault), typed=address, **_page(invitation))
    flash(
        "Un nouveau lien remplace l’ancien, qui n’ouvre plus rien. Il partira avec le prochain envoi, "
        "ou avec le message que vous renvoyez\u00a0; sinon, imprimez sa lettre."
    )
    return redirect(url_for("staff_recipients.show", invitation_id=invitation_id), 303)


def _still_to_change(invitation: Invitation) -> None:
    if wave_or_404(invitation.wave_id).state not in (DRAFT, OPEN):
        raise LinkError(LINKS_STAY)


def _found(wave_id: str, asked: str) -> list[Invitation]:
    wanted = normalised(asked)
    if not wanted:
        return []
    query = sa.select(Invitation).where(Invitation.wave_id == wave_id).options(joinedload(Invitation.unit))

    def words(one: Invitation) -> str:
        unit = one.unit
        return normalised(f"{unit.authority_code} {unit.authority_name} {unit.first_name} {unit.last_name}")

    everybody = sorted((words(one), one.id, one) for one in db.session.scalars(query))
    return [one for text, _, one in everybody if wanted in text]


def _one_or_404(invitation_id: str) -> Invitation:
    found = db.session.get(Invitation, invitation_id, options=[joinedload(Invitation.unit)])
    return found if found is not None else abort(404)


def _page(invitation: Invitation) -> dict[str, Any]:
    wave, unit = wave_or_404(invitation.wave_id), invitation.unit
    changes = wave.state in (DRAFT, OPEN) and invitation.state != ANSWERED
    return {
        "wave": wave,
        "invitation": invitation,
        "unit": unit,
        "person": " ".join(filter(None, (unit.civility, unit.first_name, unit.last_name))),
        "office": office_words(unit.office, unit.civility),
        "state": STATES[invitation.state],
        "changes": changes,
        "over": "" if wave.state in (DRAFT, OPEN) else LINKS_STAY,
        "revocable": changes and invitation.state != WITHDRAWN,
        "letter": changes and invitation.state in MAY_ANSWER and bool(unit.postal_address),
    }
