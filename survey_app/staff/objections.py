"""« Oppositions »: whoever is never to be written to, said to the staff or taken back. Floor 5.

An objection is the hash of an address. Whose it is can be told only while a list still has that address, and
only to the referent.
"""

from __future__ import annotations

from typing import Any, Final

from email_validator import EmailNotValidError, validate_email
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import REFERENT
from survey_app.database import db
from survey_app.exports.words import counted
from survey_app.invitation_models import Invitation
from survey_app.invitations.links import address_of
from survey_app.invitations.objections import (
    ORIGINS,
    REASONS,
    known_objections,
    lift_objection,
    record_objection,
)
from survey_app.invitations.states import LinkError
from survey_app.staff.pages import actor, refused

blueprint = Blueprint("staff_objections", __name__, url_prefix="/gestion")
LIST: Final = "/oppositions"


@blueprint.get(LIST)
@access.roles(REFERENT)
def index() -> ResponseReturnValue:
    """All objections, and who they are of where a list still knows it."""
    return render_template("staff/objections.html", **_page())


@blueprint.post(LIST)
@access.roles(REFERENT)
def add() -> ResponseReturnValue:
    """Somebody said it by telephone or by letter."""
    typed = request.form.get("adresse", "").strip()
    try:
        address = validate_email(typed, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        wrong = "Écrivez une adresse complète, par exemple mairie@exemple.fr."
        return refused("staff/objections.html", wrong, typed=typed, **_page())
    record_objection(address, actor=actor())
    flash("C’est noté\u00a0: plus aucun message ne partira vers cette adresse.")
    return redirect(url_for("staff_objections.index"), 303)


@blueprint.post(f"{LIST}/<address_hash>/lever")
@access.roles(REFERENT)
def lift(address_hash: str) -> ResponseReturnValue:
    """This address may be written to again."""
    try:
        links = lift_objection(address_hash, request.form.get("motif", ""), actor=actor())
    except LinkError as fault:
        return refused("staff/objections.html", str(fault), **_page())
    again = counted(links, "lien sert à nouveau", "liens servent à nouveau") if links else ""
    flash(f"L’opposition est levée. {again and f'Dans les éditions en cours, {again}.'}".strip())
    return redirect(url_for("staff_objections.index"), 303)


@blueprint.post("/destinataires/<invitation_id>/opposition")
@access.roles(REFERENT)
def add_for(invitation_id: str) -> ResponseReturnValue:
    """The same for a recipient, who may have a postal address only."""
    invitation = db.session.get(Invitation, invitation_id) or abort(404)
    record_objection(address_of(invitation), actor=actor())
    flash("C’est noté\u00a0: plus rien ne sera écrit à cette personne, ni à qui partage son adresse.")
    return redirect(url_for("staff_recipients.show", invitation_id=invitation_id), 303)


def _page() -> dict[str, Any]:
    return {"objections": known_objections(db.session()), "origins": ORIGINS, "reasons": REASONS}
