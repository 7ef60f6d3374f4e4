"""One visit of a form that is answered page by page, and the page that shows where it stands. Floor 5.

For the website and for personal links alike: the mode is in the sealed state. A page is drawn with a place
for that state, so that the form just opened is drawn once for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, cast

from flask import Response, current_app, request

from form_definitions import LANGUAGES, CollectionMode, RoutingContext
from survey_app.clock import utc_now
from survey_app.collection_modes.public_pages import private
from survey_app.form_state import FormState, UnreadableState, seal, unseal
from survey_app.interview import Interview, item_of
from survey_app.open_waves import SITE_ITEM, Published
from survey_app.rendering import Page, render_questionnaire

STATE_PLACE: Final = "\x1asealed state\x1a"
"""Where the sealed state goes in a page that is drawn: no character that anybody can send or publish."""


def state_sent(mode: str, slug: str = "") -> FormState:
    """What the hidden field of the page that was sent tells.

    Raises
    ------
    UnreadableState
        Also for a page that collects for another mode, or of another questionnaire than this one.
    """
    state = unseal(request.form.get("_state", ""), current_app.config["SECRET_KEY"])
    if state.mode != mode or slug not in ("", state.slug):
        raise UnreadableState("this page belongs to another questionnaire")
    return state


@dataclass(frozen=True)
class Notice:
    """What a page says above its questions."""

    kind: str
    """added, advised, already_sent, unreadable: or nothing special."""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """The HTML of one section, with a place for the sealed state of whoever gets it."""

    section: str
    html: str
    is_last: bool


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is answering."""

    state: FormState
    version: Published
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    language: str
    template: str = "website/form.html"
    said: tuple[tuple[str, Any], ...] = ()
    """More for the template, by name; nothing that differs from person to person."""

    @property
    def mode(self) -> CollectionMode:
        """What the form collects for."""
        return cast(CollectionMode, self.state.mode)

    def interview(self) -> Interview:
        """The interview at this point."""
        answers = self.state.answers
        site = self.state.site or next(iter(answers.get(SITE_ITEM, ())), None)
        known = self.state.site or not self.sites
        asked = self.version.questionnaire if known else self.version.asking_site(self.sites)
        return Interview(asked, self.version.digest, RoutingContext(self.mode, site), answers)

    def having(self, interview: Interview) -> Visit:
        """The same visit with the answers of this interview."""
        return replace(self, state=replace(self.state, answers=interview.answers))


def show(
    visit: Visit,
    section_name: str,
    *,
    errors: dict[str, str] | None = None,
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    """The page of one section."""
    interview = visit.interview()
    section = interview.section(section_name).name
    return _filled(_draw(visit, interview, section, errors or {}, notice), visit, status)


def first_page(visit: Visit) -> Response:
    """The page just opened: two people's differ by the sealed field alone, so the rest is drawn once."""
    state = visit.state
    key = (state.mode, visit.said, visit.language, visit.languages, visit.sites, state.site, state.practice)
    known = visit.version.first_pages
    if key not in known:
        interview = visit.interview()
        known[key] = _draw(visit, interview, interview.steps()[0].name, {}, None)
    return _filled(known[key], visit, 200)


def _filled(drawing: Drawing, visit: Visit, status: int) -> Response:
    """The page with the state of this visit in its place."""
    sealed = seal(visit.state.moved(utc_now(), section=drawing.section), current_app.config["SECRET_KEY"])
    response = private(Response(drawing.html.replace(STATE_PLACE, sealed, 1), status))
    if drawing.is_last:
        response.headers["Cache-Control"] = "no-store"  # Firefox keeps it apart from its cache
    return response


def _draw(
    visit: Visit, interview: Interview, section: str, errors: dict[str, str], notice: Notice | None
) -> Drawing:
    """One section, with a place for the sealed state."""
    steps = [step.name for step in interview.steps()]
    is_last = section != SITE_ITEM and interview.neighbour(section, 1) is None
    html = render_questionnaire(
        interview.questionnaire,
        visit.version.translations,
        visit.language,
        mode=visit.mode,
        digest=visit.version.digest,
        page=_page_of(interview, section, errors, notice),
        template=visit.template,
        state=STATE_PLACE,
        practice=visit.state.practice,
        position=steps.index(section) + 1,
        # Where the site is still to be chosen, nobody knows yet how many steps there will be.
        total=0 if section == SITE_ITEM else len(steps),
        is_first=section == steps[0],
        is_last=is_last,
        summary=errors,
        notice=notice,
        languages=[LANGUAGES[code] for code in visit.languages],
        **dict(visit.said),
    )
    return Drawing(section, html, is_last)


def _page_of(interview: Interview, section_name: str, errors: dict[str, str], notice: Notice | None) -> Page:
    step = interview.step(interview.section(section_name))
    return Page(
        sections=(section_name,),
        items=step.items,
        hidden=step.hidden,
        answers=interview.answers,
        errors={item_of(name): text for name, text in reversed(errors.items())},
        added=notice.questions[0] if notice and notice.kind == "added" else None,
        site=interview.context.site or "",
        conditions=step.conditions,
    )
