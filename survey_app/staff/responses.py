"""« Réponses à revoir »: what was flagged, and the decision to set a response aside. Floor 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import REFERENT
from survey_app.database import db
from survey_app.models import Wave
from survey_app.responses import counts, set_aside, unjudged, variants
from survey_app.responses.flags import FLAGS
from survey_app.staff.pages import actor, refused, wave_or_404

blueprint = Blueprint("staff_responses", __name__, url_prefix="/gestion/reponses")
SHOWN: Final = 200


@blueprint.get("")
@access.roles(REFERENT)
def without_wave() -> ResponseReturnValue:
    """What came for an edition that this server does not know: kept, never counted."""
    return render_template("staff/responses.html", wave=None, **_flagged(None))


@blueprint.get("/<wave_id>")
@access.roles(REFERENT)
def index(wave_id: str) -> ResponseReturnValue:
    """What the wave received, and the responses that carry a flag."""
    return render_template("staff/responses.html", **_page(wave_or_404(wave_id)))


def _page(wave: Wave) -> dict[str, object]:
    return {
        "wave": wave,
        "fieldwork": counts.fieldwork(wave.id),
        "reasons": list(set_aside.REASONS.items()),
        "reason_names": set_aside.REASONS,
        "waiting": unjudged.waiting(wave.id),
        "variants": variants.variants(wave.id),
        "record_id": request.values.get("reponse", ""),
        "elsewhere": len(counts.review_list(None)),
        **_flagged(wave.id),
    }


def _flagged(wave_id: str | None) -> Mapping[str, Any]:
    flagged = counts.review_list(wave_id)
    return {"flagged": flagged[:SHOWN], "not_shown": max(0, len(flagged) - SHOWN), "flags": FLAGS}


@blueprint.post("/<wave_id>/envois")
@access.roles(REFERENT)
def end_waiting(wave_id: str) -> ResponseReturnValue:
    """Judge a waiting record now; set it apart if that cannot be."""
    wave = wave_or_404(wave_id)
    judged, apart = unjudged.judge_or_set_apart(wave.id, request.form.getlist("envoi"), by=actor())
    if judged:
        flash("L’envoi est lu.")
    if apart:
        flash("L’envoi est illisible pour ce programme\u00a0: il est mis à part, et conservé.")
    return redirect(url_for("staff_responses.index", wave_id=wave_id), 303)


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
    if not changed:
        flash("Rien n’a changé\u00a0: la réponse était déjà dans cet état.")
        return redirect(url_for("staff_responses.index", wave_id=wave_id), 303)
    flash("La réponse est comptée à nouveau." if again else "La réponse est écartée. Elle reste conservée.")
    return redirect(url_for("staff_responses.index", wave_id=wave_id), 303)
