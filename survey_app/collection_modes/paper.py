"""When tablets fail: the same questionnaire printed on A4, and its answers typed in by staff afterwards."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue

from form_definitions import RoutingContext
from survey_app.access import ASSISTANT, CONTRIBUTOR, public, roles
from survey_app.clock import PARIS, today_in_paris, utc_now
from survey_app.collection_modes.form_visit import state_sent
from survey_app.collection_modes.printable import (
    Sheet,
    draw,
    draw_printable,
    find_sheet,
    public_name,
    sheet_of,
)
from survey_app.collection_modes.public_pages import page
from survey_app.definitions import organisation
from survey_app.form_records import AlreadySent, accept_answers, read_receipt_code
from survey_app.form_state import FormState, UnreadableState, new_state, seal
from survey_app.forms import build_form
from survey_app.interview import Interview, item_of
from survey_app.open_waves import (
    OpenWave,
    open_waves,
    unsealed_waves,
)

blueprint = Blueprint("paper", __name__)

MODE: Final = "paper"
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
START_OF_DAY: Final = dt.time(0, 0)
"""A sheet says its day only: a later moment of it could still lie ahead when the sheet is typed in."""


def find_entry(slug: str, language: str) -> Sheet:
    """The sheet to type in: of the edition that is asked for, else of the open one, else of the last one."""
    today, asked = today_in_paris(), request.args.get("edition")
    waves = unsealed_waves(MODE, today, slug=slug)
    if asked is None:
        waves = open_waves(MODE, today, slug=slug) or waves
    wave = next((wave for wave in waves if asked in (None, wave.id)), None)
    return sheet_of(wave, wave.digest if wave else "", language)


def find_begun(state: FormState, language: str) -> Sheet:
    """The sheet opened under this state; the wave may have closed or moved to another version since."""
    waves = unsealed_waves(MODE, today_in_paris(), slug=state.slug)
    # The version is one of the wave's own: nobody but this server writes a state.
    return sheet_of(next((wave for wave in waves if wave.id == state.wave), None), state.digest, language)


@blueprint.get("/q/<slug>/<language>/imprimer")
@public
def show_printable(slug: str, language: str) -> ResponseReturnValue:
    """The sheet to print; first of all, for which site."""
    sheet = find_sheet(slug, language, MODE)
    if sheet.site is None:
        return _choose_site(sheet)
    return draw_printable(sheet, "paper/sheet.html")


@blueprint.get("/gestion/saisie/<slug>/<language>")
@roles(ASSISTANT, CONTRIBUTOR)
def open_entry(slug: str, language: str) -> ResponseReturnValue:
    """An empty sheet on the screen, ready to be typed in."""
    sheet = find_entry(slug, language)
    if sheet.site is None:
        return _choose_site(sheet)
    practice = request.args.get("essai") == "1"
    state = new_state(
        slug=slug,
        wave=sheet.wave.id,
        digest=sheet.wave.digest,
        site=sheet.site,
        practice=practice,
        now=utc_now(),
        mode=MODE,
    )
    reference = read_receipt_code(request.args.get("recu", ""), current_app.config["SECRET_KEY"])
    return _show_entry(sheet, state, {}, {}, reference=reference)


@blueprint.post("/gestion/saisie/<slug>/<language>")
@roles(ASSISTANT, CONTRIBUTOR)
def take_entry(slug: str, language: str) -> ResponseReturnValue:
    """Store what was typed in. What the person left out on paper stays out: nothing is obligatory here."""
    state = _state_of_entry(slug)
    sheet = find_begun(state, language)
    if sheet.site is None or state.site != sheet.site:
        abort(400)
    form = build_form(sheet.questionnaire(), state.digest)(request.form, sheet.items())
    form.validate()
    answers = form.answers()
    faults = {name: texts[0] for name, texts in form.errors.items() if name in answers}
    filled_on = _day(request.form.get("_answered_on", ""))
    wrong_day = _wrong_day(filled_on, sheet.wave)
    empty = not answers
    if faults or empty or wrong_day or filled_on is None:
        return _show_entry(
            sheet, state, answers, faults, status=UNPROCESSABLE, wrong_day=wrong_day, empty=empty
        )
    interview = Interview(sheet.questionnaire(), state.digest, RoutingContext(MODE, sheet.site), answers)
    at = dt.datetime.combine(filled_on, START_OF_DAY, PARIS)
    try:
        code = accept_answers(state, interview, sheet.version, language, source=MODE, answered_at=at)
    except AlreadySent:  # another sheet, after a step back in the browser: one more press stores it
        anew = state.renewed(utc_now())
        return _show_entry(sheet, anew, answers, {}, status=CONFLICT, already_sent=True)
    same = {"site": sheet.site, "edition": sheet.wave.id, "le": filled_on.isoformat()}
    next_one = urlencode({**same, "recu": code})  # the sheets of a pile are mostly of one day
    return redirect(f"/gestion/saisie/{slug}/{language}?{next_one}", 303)


def _state_of_entry(slug: str) -> FormState:
    """The state in the page; 400 for one of the website, or of another questionnaire."""
    try:
        return state_sent(MODE, slug)
    except UnreadableState:
        abort(400)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _wrong_day(day: dt.date | None, wave: OpenWave) -> str:
    """What is wrong with the day of a sheet; empty: nothing."""
    if day is None:
        return "unreadable"
    if day > today_in_paris():
        return "future"
    return "" if wave.opens_on <= day <= wave.last_day else "outside"


def _show_entry(
    sheet: Sheet,
    state: FormState,
    answers: dict[str, Any],
    faults: dict[str, str],
    *,
    status: int = 200,
    **more: Any,
) -> Response:
    errors = {item_of(name): text for name, text in faults.items()}
    today = min(today_in_paris(), sheet.wave.last_day).isoformat()
    return draw(
        sheet,
        sheet.page(answers=answers, errors=errors, nothing_required=True),
        template="paper/entry.html",
        status=status,
        site=_site_label(sheet.site or ""),
        state=seal(state, current_app.config["SECRET_KEY"]),
        practice=state.practice,
        filled_on=request.form.get("_answered_on") or request.args.get("le") or today,
        today=today,
        wave=sheet.wave,
        elsewhere=_elsewhere(sheet),
        **more,
    )


def _elsewhere(sheet: Sheet) -> str:
    """Where to choose another site of the same edition; empty where there is none."""
    return f"{request.path}?{urlencode({'edition': sheet.wave.id})}" if len(sheet.sites) > 1 else ""


def _site_label(site: str) -> str:
    return organisation().site_name(site)


def _choose_site(sheet: Sheet) -> Response:
    edition = {name: value for name, value in request.args.items() if name == "edition"}
    addresses = [
        (f"{request.path}?{urlencode({'site': site, **edition})}", public_name(site)) for site in sheet.sites
    ]
    return page("paper/choose_site.html", addresses=addresses)
