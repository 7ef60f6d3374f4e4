"""The public website form: page by page, complete without JavaScript, no cookie, no session.

GET opens a form and stores nothing. POST takes one page; the last one makes a record, gives it to the inbox
and sends the browser on (303) to the page that says thank you.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from form_definitions import LANGUAGES, SOURCE_LANGUAGE
from survey_app.access import public
from survey_app.clock import today_in_paris, utc_now
from survey_app.collection_modes import public_pages
from survey_app.collection_modes.form_steps import PAGES_PER_MINUTE, UNPROCESSABLE, turn_page
from survey_app.collection_modes.form_visit import Notice, Visit, first_page, show, state_sent
from survey_app.collection_modes.public_pages import forget_pages, page, speak
from survey_app.form_records import AlreadySent, accept_answers, read_receipt_code
from survey_app.form_state import UnreadableState, new_state
from survey_app.open_waves import (
    OpenWave,
    open_waves,
    published,
    published_in,
)
from survey_app.rate_limits import at_most
from survey_app.responses.bursts import BurstCounter

blueprint = Blueprint("website", __name__)
blueprint.register_blueprint(public_pages.blueprint)

CONFLICT: Final = 409
MODE: Final = "website"
_bursts: Final = BurstCounter()


@blueprint.get("/q/<slug>")
@public
def choose_language(slug: str) -> ResponseReturnValue:
    """The address that people dictate or print: on to the form in the language of the browser."""
    wave = _current_wave(slug)
    if wave is None:
        speak(public_pages.chosen_language())
        return page("website/closed.html", 404)
    language = request.accept_languages.best_match(wave.languages, wave.languages[0])
    response = redirect(f"/q/{slug}/{language}?{request.query_string.decode('ascii', 'replace')}".rstrip("?"))
    response.vary.add("Accept-Language")
    return response


@blueprint.get("/q/<slug>/<language>")
@public
def open_form(slug: str, language: str) -> ResponseReturnValue:
    """The first page of the form, with the first question."""
    wave = _current_wave(slug)
    if language not in (wave.languages if wave else LANGUAGES):
        return _offer_languages(wave)
    speak(language)
    if wave is None:
        return page("website/closed.html", 404)
    return first_page(_new_visit(wave, language, practice=request.args.get("essai") == "1"))


def _offer_languages(wave: OpenWave | None) -> Response:
    """The form does not speak the language of the address: those that it speaks, under their own names."""
    speak(public_pages.chosen_language())
    if wave is None:
        return page("website/closed.html", 404)
    offered = [LANGUAGES[code] for code in wave.languages]
    asked = request.query_string.decode("ascii", "replace")
    response = page("website/other_languages.html", 404, slug=wave.slug, offered=offered, asked=asked)
    response.vary.add("Accept-Language")
    return response


@blueprint.post("/q/<slug>/<language>")
@public
@at_most(PAGES_PER_MINUTE)
def take_page(slug: str, language: str) -> ResponseReturnValue:
    """One page of answers: the next one, the same one to correct, or the end."""
    speak(language)
    try:
        visit = _visit(slug, language)
    except UnreadableState:
        return _start_again(slug, language)
    return turn_page(visit, _finish)


def _current_wave(slug: str) -> OpenWave | None:
    return next(iter(open_waves(MODE, today_in_paris(), slug=slug)), None)


def _new_visit(wave: OpenWave, language: str, *, practice: bool = False) -> Visit:
    version = published_in(wave)
    sites = version.sites(wave.sites)
    site = request.args.get("site", "")
    if site not in sites:
        site = sites[0] if len(sites) == 1 else ""
    state = new_state(
        slug=wave.slug, wave=wave.id, digest=wave.digest, site=site, practice=practice, now=utc_now()
    )
    return Visit(state, version, sites, wave.languages, language)


def _visit(slug: str, language: str) -> Visit:
    """The visit that the hidden field tells of; the wave may have closed meanwhile."""
    state = state_sent(MODE, slug)
    version = published(state.digest)
    if version is None:
        raise UnreadableState("nobody published this questionnaire here")
    wave = _current_wave(slug)
    same = wave is not None and wave.id == state.wave
    sites = version.sites(wave.sites if wave and same else ())
    languages = wave.languages if wave and same else tuple({SOURCE_LANGUAGE: 1, language: 1})
    return Visit(state, version, sites, languages, language)


def _start_again(slug: str, language: str) -> ResponseReturnValue:
    """The hidden field cannot be read: a new form that keeps what this page sent."""
    wave = _current_wave(slug)
    if wave is None:
        return page("website/closed.html", 404)
    visit = _new_visit(wave, language if language in wave.languages else SOURCE_LANGUAGE)
    interview = visit.interview()
    for section in interview.questionnaire.sections:
        step = interview.step(section)
        if step.items & request.form.keys():
            interview, _faults = interview.answered(step, _shown_all(request.form, step.items))
    first = interview.steps()[0].name
    return show(visit.having(interview), first, notice=Notice("unreadable"), status=UNPROCESSABLE)


def _shown_all(sent: MultiDict[str, str], items: frozenset[str]) -> MultiDict[str, str]:
    return MultiDict([*sent.items(multi=True), *(("_shown", name) for name in items)])


def _finish(visit: Visit) -> ResponseReturnValue:
    interview = visit.interview()
    flags = () if visit.state.practice else _bursts.observe(request.remote_addr, visit.state.record_id)
    try:
        code = accept_answers(visit.state, interview, visit.version, visit.language, source=MODE, flags=flags)
    except AlreadySent:
        return _offer_to_send_anew(visit)
    practice = "&essai=1" if visit.state.practice else ""
    target = f"/q/{visit.state.slug}/{visit.language}/merci?recu={code}{practice}"
    return redirect(target, 303)


def _offer_to_send_anew(visit: Visit) -> Response:
    """Somebody went back after « Merci », often the next person: one press sends their answers as new.

    Or the same person, with a second thought: so these wait for the referent, who sees both.
    """
    anew = replace(visit, state=replace(visit.state.renewed(utc_now()), anew=True))
    return show(anew, visit.state.section, notice=Notice("already_sent"), status=CONFLICT)


@blueprint.get("/q/<slug>/<language>/merci")
@public
def thank(slug: str, language: str) -> ResponseReturnValue:
    """Thank you, with the reference of the record; without a receipt of ours, nothing is claimed."""
    speak(language)
    reference = read_receipt_code(request.args.get("recu", ""), current_app.config["SECRET_KEY"])
    if reference is None:
        return page("website/no_receipt.html", slug=slug)
    practice = request.args.get("essai") == "1"
    return forget_pages(page("website/thanks.html", reference=reference, practice=practice, slug=slug))
