"""« Années passées »: import the counts of earlier years. Floor 5."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from typing import NamedTuple

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.datastructures import FileStorage

from analysis.axes import MeasuredItem, Reading, Result, item_result
from analysis.notices import what_is_not_measured
from analysis.wave_report import WaveSettings
from survey_app import access, past_results
from survey_app.access import ASSISTANT, REFERENT
from survey_app.earlier_years import imported_rate
from survey_app.exports import CSV
from survey_app.exports.words import counted, percent
from survey_app.models import PastResult, Survey
from survey_app.past_counts import COLUMNS, PastResultsError, decoded
from survey_app.past_results import YearExistsError
from survey_app.staff.figures import Table, table
from survey_app.staff.pages import UNPROCESSABLE, actor

blueprint = Blueprint("staff_past_results", __name__, url_prefix="/gestion/annees-passees")
EARLIEST = 1990


class Year(NamedTuple):
    """An imported year as the page shows it."""

    survey: Survey
    year: int
    source: str
    lines: Table
    notices: tuple[str, ...]


@blueprint.get("")
@access.roles(ASSISTANT)
def index() -> ResponseReturnValue:
    """The imported years, and the form to import one."""
    return render_template("staff/past_results.html", **_page())


def _page() -> dict[str, object]:
    return {
        "years": _years(),
        "surveys": [(survey.slug, survey.title) for survey in past_results.surveys()],
        "form": request.form,
        "columns": COLUMNS,
        "threshold": percent(WaveSettings().threshold),
        "level": percent(WaveSettings().confidence),
    }


def _years() -> list[Year]:
    everything = past_results.past_results()
    groups = groupby(everything, key=lambda pair: (pair[0], pair[1].year))
    return [_year(survey, year, [past for _, past in pairs]) for (survey, year), pairs in groups]


def _year(survey: Survey, year: int, lines: list[PastResult]) -> Year:
    known, asked = past_results.names_of(survey.slug), past_results.questions_of(survey.slug)
    named = []
    for past in lines:
        title, question = _names(past, known)
        told = f"{title} · {question}" if question else title
        shown = Markup("{}<small>{}</small>").format(question, title) if question else title
        named.append((shown, _result(past, told, asked.get(past.commitment, 1))))
    shown_year = table(named, WaveSettings(), f"p{survey.id}-{year}-")
    notices = what_is_not_measured(past_results.audience_of(survey.slug))
    return Year(survey, year, lines[0].source, shown_year, notices)


def _names(past: PastResult, known: Mapping[str, Mapping[str, str]]) -> tuple[str, str]:
    """The titles of the engagement and of the question, if any; a code that nothing explains stays."""
    title = known["commitment"].get(past.commitment) or past.commitment
    return title, (known["item"].get(past.item) or past.item) if past.item else ""


def _result(past: PastResult, title: str, questions: int) -> Result:
    """The figures of an imported line; nothing is known of its respondents."""
    rate = imported_rate(past, questions)
    name = past.item or past.commitment
    return item_result(past.commitment, MeasuredItem(name, rate, title), Reading())


@blueprint.get("/modele/<slug>")
@access.roles(REFERENT)
def template(slug: str) -> ResponseReturnValue:
    """The file of a survey to fill in, for a French Excel."""
    survey = next((survey for survey in past_results.surveys() if survey.slug == slug), None)
    if survey is None:
        abort(404)
    stream = BytesIO()
    past_results.write_template(survey, stream)
    stream.seek(0)
    name = f"modele-{survey.slug}.csv"
    return send_file(stream, mimetype=CSV, as_attachment=True, download_name=name, max_age=0)


def _chosen() -> tuple[int, FileStorage]:
    """The year and the file, or both faults at once."""
    year, file = request.form.get("year", type=int), request.files.get("counts")
    faults = []
    if file is None or not file.filename:
        faults.append("Choisissez le fichier CSV des chiffres de cette année.")
    if year is None or not EARLIEST <= year <= datetime.now(tz=UTC).year:
        faults.append("L’année s’écrit en quatre chiffres, et elle est passée ou en cours.")
    if year is None or file is None or faults:
        raise PastResultsError(faults)
    return year, file


@blueprint.post("")
@access.roles(REFERENT)
def import_file() -> ResponseReturnValue:
    """Check a file and take it in, or show every fault of it."""
    try:
        year, file = _chosen()
        text = decoded(file.read())
        title = request.form.get("title", "").strip() or str(year)
        taken = past_results.import_counts(
            request.form.get("survey", ""),
            year,
            title,
            text,
            source=file.filename or "",
            actor=actor(),
            replace="replace" in request.form,
        )
    except PastResultsError as fault:
        again = isinstance(fault, YearExistsError)
        context = {"faults": fault.faults, "again": again, **_page()}
        return render_template("staff/past_results.html", **context), UNPROCESSABLE
    words = counted(taken.lines, "ligne importée", "lignes importées")
    flash(f"{words} pour {year}, enquête «\u202f{taken.title}\u202f».")
    return redirect(url_for("staff_past_results.index"), 303)


@blueprint.post("/<int:survey_id>/<int:year>/supprimer")
@access.roles(REFERENT)
def delete(survey_id: int, year: int) -> ResponseReturnValue:
    """Take a year out again."""
    past_results.delete_year(survey_id, year, actor=actor())
    flash(f"Les chiffres de {year} sont retirés.")
    return redirect(url_for("staff_past_results.index"), 303)
