"""« Fichier de secours »: what a tablet could not send, brought as a file. Floor 5."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import ASSISTANT, TECHNICIAN
from survey_app.rescue import FATES, RescueFileError, import_file, totals
from survey_app.staff.pages import actor, refused

blueprint = Blueprint("staff_rescue", __name__, url_prefix="/gestion/fichier-de-secours")


@blueprint.get("")
@access.roles(ASSISTANT, TECHNICIAN)
def ask() -> ResponseReturnValue:
    """How to make the file on the tablet, and where to put it."""
    return render_template("staff/rescue.html", fates=None)


@blueprint.post("")
@access.roles(ASSISTANT, TECHNICIAN)
def take() -> ResponseReturnValue:
    """Take the records of the file, and tell what became of each."""
    sent = request.files.get("file")
    raw = sent.read() if sent else b""
    if not raw:
        return refused("staff/rescue.html", "Choisissez le fichier que la tablette a écrit.", fates=None)
    try:
        fates = import_file(raw, by=actor())
    except RescueFileError as fault:
        return refused("staff/rescue.html", str(fault), fates=None)
    return render_template("staff/rescue.html", fates=fates, words=FATES, totals=totals(fates))
