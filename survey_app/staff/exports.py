"""« Exports »: the files of a wave. Floor 5; the files themselves are in `survey_app/exports/`."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO, cast

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from analysis.wave_report import Selection
from survey_app import access, waves
from survey_app.access import ASSISTANT, REFERENT, RESULT_READERS, may
from survey_app.audit import record_export
from survey_app.exports import EXPORTS, Rights, file_name, gather
from survey_app.models import Wave
from survey_app.responses.link_facts import MODE
from survey_app.staff.pages import actor, wave_or_404
from survey_app.staff.result_filters import FILTERS, filters_of, selection

blueprint = Blueprint("staff_exports", __name__, url_prefix="/gestion/exports")
IN_MEMORY = 8 * 2**20


@blueprint.get("")
@access.roles(*RESULT_READERS)
def choose() -> ResponseReturnValue:
    """Straight to the one wave there is, or the list."""
    known = [wave for wave in waves.waves() if wave.state != waves.DRAFT]
    if len(known) == 1:
        return redirect(url_for("staff_exports.index", wave_id=known[0].id))
    return render_template("staff/exports_choice.html", waves=known)


@blueprint.get("/<wave_id>")
@access.roles(*RESULT_READERS)
def index(wave_id: str) -> ResponseReturnValue:
    """What this person may take away."""
    wave = wave_or_404(wave_id)
    shown = {name: export for name, export in EXPORTS.items() if rights(wave).rows or not export.rows}
    return render_template(
        "staff/exports.html", wave=wave, exports=shown, asked=_asked(), by_link=MODE in wave.modes
    )


def _asked() -> dict[str, Any]:
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def rights(wave: Wave) -> Rights:
    """Answers person by person for the referent and the assistant; free texts for the referent alone.

    Answers by personal link are read one by one by the referent alone: their pages and mails promise it.
    """
    rows = may(REFERENT) if MODE in wave.modes else may(ASSISTANT)
    return Rights(rows=rows, verbatims=may(REFERENT), live=may(REFERENT))


@blueprint.get("/<wave_id>/<name>")
@access.roles(*RESULT_READERS)
def download(wave_id: str, name: str) -> ResponseReturnValue:
    """One file, written to disk first: a fault half-way is a page, never half a file."""
    wave = wave_or_404(wave_id)
    export = EXPORTS.get(name)
    if export is None or (export.rows and not rights(wave).rows):
        abort(404)
    if filters_of(wave)["wrong"]:
        # The page of results says which filter this edition does not have.
        return redirect(url_for("staff_results.show", wave_id=wave.id, **_asked()), 303)
    source = gather(wave.id, rights(wave), Selection(**selection()))
    stream = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (send_file closes it with the response)
    export.write(source, cast(BinaryIO, stream))
    stream.seek(0)
    if request.method == "GET":
        record_export(name, actor=actor(), subject=wave_id, limits=selection())
    return send_file(
        cast(BinaryIO, stream),
        mimetype=export.media_type,
        as_attachment=True,
        download_name=file_name(source, name),
        max_age=0,
    )
