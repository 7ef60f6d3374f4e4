"""« Réponses à revoir »: what was flagged or set aside, a search by reference, and decisions. Floor 5."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access, waves
from survey_app.access import REFERENT
from survey_app.database import db
from survey_app.form_records import reference_of
from survey_app.models import Wave
from survey_app.responses import counts, decided, erasing, set_aside, unjudged, variants
from survey_app.responses.counts import StoredResponse
from survey_app.responses.flags import FLAGS, countable
from survey_app.staff.answer_words import said_by, said_otherwise
from survey_app.staff.pages import actor, refused, wave_or_404

blueprint = Blueprint("staff_responses", __name__, url_prefix="/gestion/reponses")
PER_PAGE: Final = 50
LAST_PAGE: Final = 10_000
LONGEST: Final = 80
REFERENCED: Final = ("website", "paper")
"""The modes whose last page shows a reference; a tablet has nobody to give one to."""
SEARCH: Final = "recherche"
FLAGGED: Final = "signalees"
SET_ASIDE: Final = "ecartees"
LISTS: Final = (SEARCH, FLAGGED, SET_ASIDE)
"""The lists of the page: anchors, and where a decision leads back to."""
PAGED: Final = ("reference", FLAGGED, SET_ASIDE)
"""What the address says about the lists; a decision keeps it."""
DECIDED: Final = {
    True: "La réponse {} est comptée à nouveau.",
    False: "La réponse {} est écartée. Elle reste conservée.",
}
ERASED: Final = {
    True: "La réponse {} est effacée. Elle ne compte plus.",
    False: "L’édition est scellée\u00a0: les textes et l’envoi de la réponse {} sont effacés, "
    "ses autres réponses restent dans les chiffres.",
}
MISREAD: Final = str.maketrans("018", "OIB")
"""A reference has none of these digits: who copies one read a letter."""


@dataclass(frozen=True)
class Page:
    """One page of a list, named in the address by its own parameter."""

    parameter: str
    rows: Sequence[Any]
    number: int
    more: bool


def _page_of(parameter: str, read: Callable[[int, int], Sequence[Any]]) -> Page:
    """`read(offset, limit)` gives the rows; one more than a page tells whether there is a next one."""
    number = min(max(1, request.args.get(parameter, 1, type=int)), LAST_PAGE)
    rows = read((number - 1) * PER_PAGE, PER_PAGE + 1)
    return Page(parameter, rows[:PER_PAGE], number, len(rows) > PER_PAGE)


@blueprint.get("")
@access.roles(REFERENT)
def without_wave() -> ResponseReturnValue:
    """What came for an edition that this server does not know: kept, never counted."""
    return render_template("staff/responses.html", wave=None, **_flagged(None))


@blueprint.get("/<wave_id>")
@access.roles(REFERENT)
def index(wave_id: str) -> ResponseReturnValue:
    """What the wave received, the response that is looked for, those set aside, and those with a flag."""
    return render_template("staff/responses.html", **_page(wave_or_404(wave_id)))


def _page(wave: Wave) -> dict[str, object]:
    searched = request.args.get("reference", "").strip()[:LONGEST]
    found = _found(wave, searched) if searched else []
    return {
        "wave": wave,
        "fieldwork": counts.fieldwork(wave.id),
        "reasons": list(set_aside.REASONS.items()),
        "reason_names": set_aside.REASONS,
        "waiting": unjudged.waiting(wave.id),
        "variants": variants.variants(wave.id),
        "searched": searched,
        "found": found,
        "reference_of": _reference,
        "referenced": REFERENCED,
        "set_aside": _page_of(SET_ASIDE, partial(_set_aside, wave.id)),
        "possible": partial(_possible, wave),
        "said_by": said_by,
        "said_otherwise": said_otherwise,
        "kept": _kept(),
        "elsewhere": len(counts.review_list(None)),
        **_flagged(wave.id),
    }


def _possible(wave: Wave, response: StoredResponse) -> str:
    """What can be decided about a response: its counterpart of now, or nothing."""
    if wave.state in (waves.SEALED, waves.PUBLISHED):
        return ""
    if response.counted:
        return "set_aside"
    return "count" if countable(response.flags, practice=response.practice) else ""


def _kept() -> dict[str, Any]:
    return {name: request.args[name] for name in PAGED if name in request.args}


def _set_aside(wave_id: str, offset: int, limit: int) -> Sequence[Any]:
    return decided.set_aside_by_people(wave_id, offset=offset, limit=limit)


def _flagged(wave_id: str | None) -> Mapping[str, Any]:
    flagged = counts.review_list(wave_id)
    page = _page_of(FLAGGED, lambda offset, limit: flagged[offset : offset + limit])
    return {"flagged": page, "flags": FLAGS}


def _found(wave: Wave, searched: str) -> list[decided.DecidedResponse]:
    """By the reference of the page « Merci », by the number of this page, or by the whole number."""
    letters = re.sub(r"[^0-9a-z]", "", searched.lower())
    reference = letters.upper().translate(MISREAD)

    def is_wanted(record_id: str) -> bool:
        number = record_id.replace("-", "")
        return letters in (number, number[:8]) or reference == _reference(record_id).replace("-", "")

    return decided.find(wave.id, is_wanted)


def _reference(record_id: str) -> str:
    return reference_of(record_id, current_app.config["SECRET_KEY"])


@blueprint.post("/<wave_id>/envois")
@access.roles(REFERENT)
def end_waiting(wave_id: str) -> ResponseReturnValue:
    """Judge a waiting record now; set it apart if that cannot be."""
    wave = wave_or_404(wave_id)
    ended = unjudged.judge_or_set_apart(wave.id, request.form.getlist("envoi"), by=actor())
    if ended.judged:
        flash("L’envoi est lu.")
    if ended.without_key:
        flash("L’envoi attend sa clé\u00a0: demandez au service informatique de remettre le fichier.")
    if ended.unidentified:
        flash(
            "L’envoi vient d’une tablette inconnue ici\u00a0: "
            "dites d’abord laquelle, à «\u202fTablettes\u202f»."
        )
    if ended.apart:
        flash("L’envoi est illisible pour ce programme\u00a0: il est mis à part, et conservé.")
    return redirect(url_for("staff_responses.index", wave_id=wave_id), 303)


@blueprint.post("/<wave_id>/variantes")
@access.roles(REFERENT)
def count_apart(wave_id: str) -> ResponseReturnValue:
    """Count what came under a number already taken as another person's response."""
    wave = wave_or_404(wave_id)
    chosen, note = request.form.get("variante", ""), request.form.get("precision", "")[:500]
    try:
        changed = variants.count_apart(chosen, note=note, by=actor(), wave_id=wave.id)
    except set_aside.DecisionError as fault:
        return refused("staff/responses.html", str(fault), **_page(wave))
    db.session.rollback()
    flash(
        "Ce contenu est compté à part." if changed else "Rien n’a changé\u00a0: ce contenu est déjà compté."
    )
    return redirect(url_for("staff_responses.index", wave_id=wave_id), 303)


@blueprint.post("/<wave_id>/effacer")
@access.roles(REFERENT)
def erase(wave_id: str) -> ResponseReturnValue:
    """Erase a response whose author asks for it and gives its reference."""
    wave = wave_or_404(wave_id)
    record_id = request.form.get("numero", "").strip()
    try:
        if request.form.get("confirme") != "1":
            raise set_aside.DecisionError("Cochez la case pour confirmer\u00a0: l’effacement est définitif.")
        whole = erasing.erase(record_id, by=actor(), wave_id=wave.id)
    except set_aside.DecisionError as fault:
        return refused("staff/responses.html", str(fault), **_page(wave))
    db.session.rollback()
    flash(ERASED[whole].format(record_id[:8]), SEARCH)
    return redirect(url_for("staff_responses.index", wave_id=wave.id, _anchor=SEARCH), 303)


@blueprint.post("/<wave_id>")
@access.roles(REFERENT)
def decide(wave_id: str) -> ResponseReturnValue:
    """Set a response aside, or count it again; it stays stored either way."""
    wave = wave_or_404(wave_id)
    record_id, reason = request.form.get("reponse", "").strip(), request.form.get("reason", "")
    again = request.form.get("decision") == "count"
    decide_so = set_aside.reinstate if again else set_aside.set_aside
    try:
        note = request.form.get("note", "")[:500]
        changed = decide_so(record_id, reason=reason, note=note, by=actor(), wave_id=wave.id)
    except set_aside.DecisionError as fault:
        return refused("staff/responses.html", str(fault), **_page(wave))
    db.session.rollback()
    back = request.form.get("retour", "")
    back = back if back in LISTS else ""
    unchanged = "Rien n’a changé\u00a0: la réponse {} était déjà dans cet état."
    flash((DECIDED[again] if changed else unchanged).format(record_id[:8]), back or "message")
    return redirect(url_for("staff_responses.index", wave_id=wave.id, **_kept(), _anchor=back or None), 303)
