"""The personal link of an invited person, and the one answer that it brings.

GET and HEAD look nothing up and change nothing: the page of a link is the same for any text, so that neither
a mail scanner nor a stranger learns or burns anything. Whoever presses « Commencer » goes on at an address
without the link; from there on the sealed field of the page knows which invitation it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from form_definitions import LANGUAGES, SOURCE_LANGUAGE, split_by_path
from survey_app import i18n
from survey_app.access import public
from survey_app.clock import day_in_paris, today_in_paris, utc_now
from survey_app.collection_modes import personal_link_acts
from survey_app.collection_modes.form_steps import (
    PAGES_PER_MINUTE,
    UNPROCESSABLE,
    show_faults,
    take,
    turn_page,
)
from survey_app.collection_modes.form_visit import Visit, first_page, show, state_sent
from survey_app.collection_modes.link_opening import GONE, Opened, find_opened, said, standing
from survey_app.collection_modes.link_welcome import opening, unknown
from survey_app.collection_modes.printable import draw_printable, find_sheet
from survey_app.collection_modes.public_pages import forget_pages, privacy_page, speak
from survey_app.database import db
from survey_app.form_state import MAXIMUM_AGE, FormState, UnreadableState, new_state
from survey_app.invitation_models import WaveFrame
from survey_app.invitations import transitions
from survey_app.invitations.preparing import MODE
from survey_app.invitations.redemption import Holder, hand_in
from survey_app.invitations.states import AlreadyAnswered, LinkIsDead, WaveIsOver
from survey_app.models import Wave
from survey_app.open_waves import Published, published
from survey_app.rate_limits import at_most

blueprint = Blueprint("personal_link", __name__)
blueprint.register_blueprint(personal_link_acts.blueprint)

FORM: Final = "personal_link/form.html"
ENDS: Final = {"merci": "thanks", "enregistre": "saved", "deja": "answered", "fini": "over"}
"""Addresses without any link, on which an interview ends."""


@blueprint.get("/r/")
@public
def ask_code() -> ResponseReturnValue:
    """For whoever has a letter: the field for its code."""
    return opening("")


@blueprint.get("/r/<token>")
@public
def open_link(token: str) -> ResponseReturnValue:
    """The page of any link, known or not: it says what it is for, and has buttons."""
    return opening(token)


@blueprint.get("/r/questionnaire/<language>")
@public
def ask_for_link(language: str) -> ResponseReturnValue:
    """Somebody came back to the address of the form without a form."""
    speak(language)
    return said("no_link")


@blueprint.get(f"/r/<any({', '.join(ENDS)}):end>/<language>")
@public
def end(end: str, language: str) -> ResponseReturnValue:
    """Where an interview ends: nothing in it tells whose it was."""
    speak(language)
    return forget_pages(said(ENDS[end]))


@blueprint.post("/r/questionnaire/<language>")
@public
@at_most(PAGES_PER_MINUTE)
def take_page(language: str) -> ResponseReturnValue:
    """« Commencer », or one page of answers."""
    speak(language)
    if "_state" in request.form:
        return _take_answers(language)
    opened = find_opened()
    return unknown() if opened is None else _begin(opened, language)


def _begin(opened: Opened, language: str) -> ResponseReturnValue:
    if instead := standing(opened):
        return instead
    try:
        draft = transitions.begin(opened.holder)
    except (AlreadyAnswered, LinkIsDead):  # somebody was quicker
        return said("dead", GONE)
    except WaveIsOver:
        return said("over")
    visit = _visit(_new_state(opened), opened.wave, opened.frame, language)
    if draft is None:
        return first_page(visit)
    if draft["digest"] == visit.state.digest:
        return show(_resumed(visit, draft), draft["section"])
    return show(_resumed(visit, draft), visit.interview().steps()[0].name)


def _new_state(opened: Opened) -> FormState:
    state = new_state(
        slug=opened.wave.survey.slug,
        wave=opened.wave.id,
        digest=opened.wave.questionnaire_digest,
        site="",
        practice=False,
        now=utc_now(),
        mode=MODE,
    )
    return replace(state, invitation_id=opened.invitation.id, generation=opened.invitation.generation)


def _resumed(visit: Visit, draft: dict[str, Any]) -> Visit:
    """What was saved; of another version of the questionnaire, what still is a question of this one."""
    known = {name: value for name, value in draft["answers"].items() if _is_asked(visit.version, name)}
    return replace(visit, state=replace(visit.state, answers=known, warned=tuple(draft["warned"])))


def _is_asked(version: Published, key: str) -> bool:
    return key.partition(".")[0] in version.questionnaire.items_by_name


def _visit(state: FormState, wave: Wave, frame: WaveFrame, language: str) -> Visit:
    version = published(state.digest)
    if version is None:
        raise UnreadableState("nobody published this questionnaire here")
    languages = tuple(code for code in LANGUAGES if code in (wave.languages or (SOURCE_LANGUAGE,)))
    spoken = language if language in languages else SOURCE_LANGUAGE
    i18n.speak(spoken)
    told = (("nominative", frame.nominative), ("printable", f"/r/questions/{state.slug}/{spoken}"))
    return Visit(state, version, (), languages, spoken, template=FORM, said=told)


def _take_answers(language: str) -> ResponseReturnValue:
    try:
        state = state_sent(MODE)
        wave, frame = db.session.get(Wave, state.wave), db.session.get(WaveFrame, state.wave)
        if wave is None or frame is None:
            raise UnreadableState("this edition is no more")
        visit = _visit(state, wave, frame, language)
    except UnreadableState:
        return said("no_link", UNPROCESSABLE)
    if request.form.get("_action") == "save":
        return _save(visit, wave)
    return turn_page(visit, lambda visit: _hand_in(visit, wave))


def _save(visit: Visit, wave: Wave) -> ResponseReturnValue:
    if not _in_time(visit.state, wave):
        return _go("fini", visit)
    visit, faults = take(visit)
    interview = visit.interview()
    faults = faults or interview.all_faults()
    if wrong := {name: text for name, text in faults.items() if name in interview.answers}:
        return show_faults(visit, wrong)
    state = visit.state
    draft = {
        "digest": state.digest,
        "section": state.section,
        "warned": list(state.warned),
        "answers": dict(interview.answers),
    }
    asked = visit.version.questionnaire
    return _end(visit, "enregistre", lambda holder: transitions.save_draft(holder, draft, asked))


def _hand_in(visit: Visit, wave: Wave) -> ResponseReturnValue:
    """The last page was sent, and nothing is wrong: sealed, and used up, in one transaction."""
    if not _in_time(visit.state, wave):
        return _go("fini", visit)
    interview = visit.interview()
    on_path, _off_path = split_by_path(interview.questionnaire, interview.answers, interview.context)
    sent = partial(
        hand_in,
        answers=on_path,
        questionnaire=visit.version.questionnaire,
        digest=visit.state.digest,
        language=visit.language,
        today=today_in_paris(),
    )
    return _end(visit, "merci", sent)


def _end(visit: Visit, end: str, keep: Callable[[Holder], None]) -> ResponseReturnValue:
    """What was typed is kept, and the page of this end says it; or why it could not be."""
    try:
        keep(Holder(visit.state.invitation_id, visit.state.generation))
    except AlreadyAnswered:
        return _go("deja", visit)
    except WaveIsOver:
        return _go("fini", visit)
    except LinkIsDead:
        return said("dead", GONE)
    return _go(end, visit)


def _in_time(state: FormState, wave: Wave) -> bool:
    """Who began before midnight of the last day may end: the closing itself is what ends the right."""
    began = dt.datetime.fromisoformat(state.opened_at)
    last_day = today_in_paris() <= wave.closes_on
    return last_day or (day_in_paris(began) <= wave.closes_on and utc_now() - began <= MAXIMUM_AGE)


def _go(end: str, visit: Visit) -> ResponseReturnValue:
    return redirect(f"/r/{end}/{visit.language}", 303)


@blueprint.get("/r/donnees/<language>")
@public
def explain_privacy(language: str) -> ResponseReturnValue:
    """What becomes of answers by personal link: not what becomes of a visitor's."""
    return privacy_page(language, "personal_link/privacy.html")


@blueprint.get("/r/questions/<slug>/<language>")
@public
def show_printable(slug: str, language: str) -> ResponseReturnValue:
    """The questions to read or print beforehand."""
    sheet = find_sheet(slug, language, MODE)
    return draw_printable(sheet, "personal_link/questions.html")
