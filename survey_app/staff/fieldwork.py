"""« Suivi » of an edition by personal link: who was reached, who answered, by stratum. Floor 5."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import ASSISTANT, DIRECTOR, REFERENT, may
from survey_app.audit import record_export
from survey_app.exports.csv_writing import FRENCH, CsvCell, write_csv
from survey_app.exports.words import HIDDEN
from survey_app.fieldwork import COUNTS, RATES, FollowUp, Line, follow_up
from survey_app.invitation_models import WaveFrame
from survey_app.models import Wave
from survey_app.staff.pages import actor, wave_or_404
from survey_app.strata import frame_of

blueprint = Blueprint("staff_fieldwork", __name__, url_prefix="/gestion/editions")

COUNT_LABELS: Final = {
    "by_letter": "Par courrier postal",
    "delivered": "Courriel remis",
    "started": "Ont commencé",
    "complete": "Ont répondu",
    "refused": "Refus",
    "unreachable": "Injoignables",
    "ineligible": "Hors champ",
    "unknown": "Sans nouvelle",
}
RATE_LABELS: Final = {
    "response_rate_1": ("Taux de réponse", "RR1"),
    "cooperation_rate_1": ("Taux de coopération", "COOP1"),
    "refusal_rate_1": ("Taux de refus", "REF1"),
}
"""Rate → its French name, and its name in AAPOR's Standard Definitions."""


@blueprint.get("/<wave_id>/suivi")
@access.roles(ASSISTANT, DIRECTOR)
def show(wave_id: str) -> ResponseReturnValue:
    """The counts of this moment."""
    wave, frame = _found(wave_id)
    found = follow_up(frame)
    return render_template(
        "staff/fieldwork.html",
        wave=wave,
        frame=frame,
        lines=_lines(found),
        missing=found.missing() if may(REFERENT) else {},
        count_labels=COUNT_LABELS,
        rate_labels=RATE_LABELS,
    )


@blueprint.get("/<wave_id>/suivi.csv")
@access.roles(ASSISTANT, DIRECTOR)
def download(wave_id: str) -> ResponseReturnValue:
    """The same table as a file."""
    wave, frame = _found(wave_id)
    stream = io.BytesIO()
    write_csv(stream, FRENCH, _headings(), ([*_cells(line)] for line in _lines(follow_up(frame))))
    record_export("suivi.csv", actor=actor(), subject=wave.id, limits={})
    named = {"Content-Disposition": f'attachment; filename="suivi-{wave.id}.csv"'}
    return Response(stream.getvalue(), mimetype="text/csv", headers=named)


def _found(wave_id: str) -> tuple[Wave, WaveFrame]:
    wave, frame = wave_or_404(wave_id), frame_of(wave_id)
    if frame is None:
        abort(404)
    return wave, frame


def _lines(found: FollowUp) -> tuple[Line, ...]:
    return found.lines(None if may(REFERENT) else "staff")


def _headings() -> list[str]:
    rates = (f"{name} ({known_as})" for name, known_as in RATE_LABELS.values())
    return ["Territoire", "Invités", *COUNT_LABELS.values(), *rates]


def _cells(line: Line) -> Iterator[CsvCell]:
    yield line.name
    yield line.invited
    for name in COUNTS:
        number = line.counts[name]
        yield HIDDEN if number is None else number
    yield from (line.rate(name) for name in RATES)
