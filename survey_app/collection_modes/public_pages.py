"""The public pages around the form: what is open, personal data, accessibility, legal notice."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from form_definitions import LANGUAGES, SOURCE_LANGUAGE
from survey_app import i18n
from survey_app.access import public
from survey_app.clock import today_in_paris
from survey_app.definitions import organisation, organisation_of, translations
from survey_app.open_waves import OpenWave, open_waves, published_in
from survey_app.questionnaire_view import Words

blueprint = Blueprint("pages", __name__)

MODE: Final = "website"


@blueprint.record
def tell_templates_who_asks(setup: BlueprintSetupState) -> None:
    """Every template may name the organisation."""
    ours = organisation_of(setup.app.extensions["survey_settings"].definitions_folder)
    setup.app.jinja_env.globals.update(
        organisation=ours, who_asks=who_asks, short_notice=short_notice, full_notice=full_notice
    )


def words() -> Words:
    """The organisation's own texts, in the language of the page."""
    return Words(i18n.current_language(), translations())


def short_notice() -> Markup | None:
    """One sentence about personal data, for the first page of a form."""
    return words()(organisation().privacy.short_notice)


def full_notice() -> list[dict[str, Markup | None]]:
    """What becomes of the answers, paragraph by paragraph."""
    say = words()
    return [{"title": say(part.title), "text": say(part.text)} for part in organisation().privacy.notice]


def who_asks() -> Markup | None:
    """The name, marked as French where it has no translation."""
    return words()(organisation().name)


def speak(language: str) -> None:
    """Speak the language of the address, or say that there is no such page."""
    if language not in LANGUAGES:
        abort(404)
    i18n.speak(language)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of the website in the language of the request."""
    language = i18n.current_language()
    html = render_template(template, language=language, direction=LANGUAGES[language].direction, **values)
    return private(make_response(html, status))


def forget_pages(response: Response) -> Response:
    """The end of a form: the browser drops the pages it keeps, and Back shows no answer to the next person.

    Without JavaScript it then asks whether to send the form again, which counts nothing twice. Only a GET for
    each page would spare that question, and it would carry the answers in the address, the history, the logs.
    """
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def private(response: Response) -> Response:
    """Never kept by a shared cache; the browser may keep it, so that its back button asks nothing."""
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.get("/")
@public
def list_open_questionnaires() -> ResponseReturnValue:
    """The open questionnaires, each in its languages under their own names."""
    speak(chosen_language())
    waves = open_waves(MODE, today_in_paris())
    newest = {wave.slug: wave for wave in reversed(waves)}
    offers = [
        {"wave": wave, "title": _title_of(wave), "languages": [LANGUAGES[code] for code in wave.languages]}
        for wave in sorted(newest.values(), key=lambda wave: (not _is_for_everybody(wave), wave.title))
    ]
    response = page("website/list.html", offers=offers, languages=list(LANGUAGES.values()))
    response.vary.add("Accept-Language")
    return response


def chosen_language() -> str:
    """The one of the address (``?lang=``), else the one that the browser asks for."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES, SOURCE_LANGUAGE)


def _title_of(wave: OpenWave) -> Markup | None:
    """The title as its questionnaire translates it, marked as French where it does not."""
    return Words(i18n.current_language(), published_in(wave).translations)(wave.title)


def _is_for_everybody(wave: OpenWave) -> bool:
    return published_in(wave).questionnaire.audience == "users"


@blueprint.get("/favicon.ico")
@public
def find_icon() -> ResponseReturnValue:
    """Where browsers look when a page (JSON, an image) names no icon."""
    return redirect("/static/icon.svg", 308)


@blueprint.get("/confidentialite/")
@blueprint.get("/confidentialite/<language>")
@public
def explain_privacy(language: str = SOURCE_LANGUAGE) -> ResponseReturnValue:
    """What becomes of the answers."""
    return privacy_page(language)


@blueprint.get("/q/<slug>/<language>/confidentialite")
@public
def explain_privacy_of(slug: str, language: str) -> ResponseReturnValue:
    """The same, with the way back to the form."""
    return privacy_page(language, back=f"/q/{slug}/{language}")


def privacy_page(
    language: str, template: str = "website/privacy.html", *, back: str | None = None
) -> Response:
    """The whole notice, of this template."""
    speak(language)
    legal_basis = words()(organisation().privacy.legal_basis)
    return page(template, legal_basis=legal_basis, back=back)


@blueprint.get("/accessibilite/")
@blueprint.get("/accessibilite/<language>")
@public
def declare_accessibility(language: str = SOURCE_LANGUAGE) -> ResponseReturnValue:
    """The declaration that the law asks for, with its honest state."""
    speak(language)
    return page("website/accessibility.html")


@blueprint.get("/mentions-legales/")
@blueprint.get("/mentions-legales/<language>")
@public
def show_legal_notice(language: str = SOURCE_LANGUAGE) -> ResponseReturnValue:
    """Who publishes these pages."""
    speak(language)
    return page("website/legal.html")
