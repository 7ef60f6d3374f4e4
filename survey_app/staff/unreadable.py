"""Answers by personal link that do not open: the referent restores a copy, or mixes the others. Floor 5."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import REFERENT
from survey_app.database import DatabaseUnavailable, db
from survey_app.invitations import mixing
from survey_app.invitations.pool import MixingError, told_unreadable
from survey_app.responses.link_balance import TOO_FEW, unreadable
from survey_app.responses.record_keys import KeyFileError
from survey_app.staff.pages import actor, refused, wave_or_404

blueprint = Blueprint("staff_unreadable", __name__, url_prefix="/gestion/editions")
PAGE: Final = "/<wave_id>/illisibles"
NOTHING: Final = "Toutes les réponses par lien personnel de cette édition s’ouvrent, ou elles sont mélangées."


def waiting_for_a_decision(wave_id: str) -> str:
    """How many answers hold up the mixing of a wave, in words; empty where none does."""
    if wave_id not in mixing.unfinished():
        return ""
    with db.engine.connect() as connection:
        number = unreadable(connection, wave_id)
    return told_unreadable(number) if number else ""


@blueprint.get(PAGE)
@access.roles(REFERENT)
def ask(wave_id: str) -> ResponseReturnValue:
    """What does not open, and what each way costs."""
    wave, told = wave_or_404(wave_id), waiting_for_a_decision(wave_id)
    if not told:
        flash(NOTHING)
        return redirect(url_for("staff_waves.show", wave_id=wave_id))
    return render_template("staff/unreadable.html", wave=wave, told=told)


@blueprint.post(PAGE)
@access.roles(REFERENT)
def leave_out(wave_id: str) -> ResponseReturnValue:
    """Mix the others."""
    wave, told = wave_or_404(wave_id), waiting_for_a_decision(wave_id)
    if told:
        try:
            mixing.finish(wave_id, actor=actor(), leave_out_unreadable=True)
        except (MixingError, KeyFileError, DatabaseUnavailable) as fault:
            return refused("staff/unreadable.html", str(fault), wave=wave, told=told)
    few = mixing.were_withheld(wave_id)
    flash(TOO_FEW if few else "Les autres réponses sont mélangées." if told else NOTHING)
    return redirect(url_for("staff_waves.show", wave_id=wave_id), 303)
