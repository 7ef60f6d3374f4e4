"""« Années passées »: import the counts of earlier years. Floor 5."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from analysis.axes import MeasuredItem, Reading, Result, item_result
from analysis.rates import Rate
from analysis.wave_report import WaveSettings
from survey_app import access, past_results
from survey_app.access import ASSISTANT, REFERENT
from survey_app.database import db
from survey_app.models import PastResult, Survey
from survey_app.past_results import PastResultsError
from survey_app.staff.pages import UNPROCESSABLE, actor
from survey_app.staff.results import Table, table

blueprint = Blueprint("staff_past_results", __name__, url_prefix="/gestion/annees-passees")
EARLIEST = 1990


@blueprint.get("")
@access.roles(ASSISTANT)
def index() -> ResponseReturnValue:
    """The imported years, and the form to import one."""
    return render_template("staff/past_results.html", **_page())


def _page() -> dict[str, object]:
    surveys = db.session.scalars(select(Survey).order_by(Survey.title)).all()
    return {
        "years": _years(),
        "surveys": [(survey.slug, survey.title) for survey in surveys],
        "form": request.form,
        "columns": past_results.COLUMNS,
    }


def _years() -> list[tuple[Survey, int, str, Table]]:
    everything = past_results.past_results()
    groups = groupby(everything, key=lambda pair: (pair[0], pair[1].year))
    return [_year(survey, year, [past for _, past in pairs]) for (survey, year), pairs in groups]


def _year(survey: Survey, year: int, lines: list[PastResult]) -> tuple[Survey, int, str, Table]:
    named = [(" · ".join(filter(None, (p.commitment, p.item))), _result(p)) for p in lines]
    return survey, year, lines[0].source, table(named, WaveSettings(), f"p{survey.id}-{year}-")


def _result(past: PastResult) -> Result:
    """The figures of an imported line; nothing is known of its respondents."""
    rate = Rate(past.favourable, past.base, population=past.population)
    name = past.item or past.commitment
    return item_result(past.commitment, MeasuredItem(name, rate, name), Reading())


@blueprint.post("")
@access.roles(REFERENT)
def import_file() -> ResponseReturnValue:
    """Check a file and take it in, or show every fault of it."""
    year = request.form.get("year", type=int)
    file = request.files.get("counts")
    try:
        if year is None or not EARLIEST <= year <= datetime.now(tz=UTC).year:
            raise PastResultsError(["L’année s’écrit en quatre chiffres, et elle est passée ou en cours."])
        text = (file.read() if file else b"").decode("utf-8")
        title = request.form.get("title", "").strip() or str(year)
        count = past_results.import_counts(
            request.form.get("survey", ""),
            year,
            title,
            text,
            source=(file and file.filename) or "",
            actor=actor(),
        )
    except UnicodeDecodeError:
        faults: tuple[str, ...] = ("Le fichier n’est pas du texte UTF-8. Enregistrez-le à nouveau en UTF-8.",)
        return render_template("staff/past_results.html", faults=faults, **_page()), UNPROCESSABLE
    except PastResultsError as fault:
        return render_template("staff/past_results.html", faults=fault.faults, **_page()), UNPROCESSABLE
    flash(f"{count} lignes importées pour {year}.")
    return redirect(url_for("staff_past_results.index"), 303)


@blueprint.post("/<int:survey_id>/<int:year>/supprimer")
@access.roles(REFERENT)
def delete(survey_id: int, year: int) -> ResponseReturnValue:
    """Take a year out again."""
    past_results.delete_year(survey_id, year, actor=actor())
    flash(f"Les chiffres de {year} sont retirés.")
    return redirect(url_for("staff_past_results.index"), 303)
