"""From one page of a form to the next, the one before, another language, or the end. Floor 5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from survey_app import i18n
from survey_app.collection_modes.form_visit import Notice, Visit, show
from survey_app.interview import item_of

UNPROCESSABLE: Final = 422
PAGES_PER_MINUTE: Final = "120 per minute"
"""Behind one address there may be a whole hall of visitors: this only stops a machine in a loop."""
Finish = Callable[[Visit], ResponseReturnValue]
"""What is done with answers that are complete and without fault."""


def turn_page(visit: Visit, finish: Finish) -> ResponseReturnValue:
    """One page of answers was sent: what the pressed button asks for."""
    if request.form.get("_language") in visit.languages:
        return _switch_language(visit)
    if request.form.get("_action") == "back":
        return _go_back(visit)
    return _go_on(visit, finish)


def take(visit: Visit) -> tuple[Visit, dict[str, str]]:
    """The visit with what this page sent, and what is wrong on it."""
    interview = visit.interview()
    step = interview.step(interview.section(visit.state.section))
    after, faults = interview.answered(step, request.form)
    return visit.having(after), faults


def _switch_language(visit: Visit) -> ResponseReturnValue:
    """The same page in another language; or, after a reload, as it was sent: that brings no answers."""
    if request.form.get("_action") != "again":
        visit, _faults = take(visit)
    language = request.form["_language"]
    i18n.speak(language)
    return show(replace(visit, language=language), visit.state.section)


def _go_back(visit: Visit) -> ResponseReturnValue:
    visit, _faults = take(visit)
    previous = visit.interview().neighbour(visit.state.section, -1)
    return show(visit, previous.name if previous else visit.state.section)


def _go_on(visit: Visit, finish: Finish) -> ResponseReturnValue:
    before = visit.interview()
    section = before.section(visit.state.section)
    seen = before.step(section)
    unseen = seen.unseen(request.form.getlist("_shown"))
    visit, faults = take(visit)
    if faults:
        return show(visit, section.name, errors=faults, status=UNPROCESSABLE)
    interview = visit.interview()
    step = interview.step(section)
    added = [item.name for item in section.items if item.name in (step.items - step.hidden) & unseen]
    if added:
        return show(visit, section.name, notice=Notice("added", tuple(added)))
    advised = [name for name in interview.unanswered_advised(step) if name not in visit.state.warned]
    if advised:
        visit = replace(visit, state=replace(visit.state, warned=(*visit.state.warned, *advised)))
        return show(visit, section.name, notice=Notice("advised", tuple(advised)))
    following = interview.neighbour(section.name, 1)
    return show(visit, following.name) if following else _check_all(visit, finish)


def _check_all(visit: Visit, finish: Finish) -> ResponseReturnValue:
    interview = visit.interview()
    faults = interview.all_faults()
    return show_faults(visit, faults) if faults else finish(visit)


def show_faults(visit: Visit, faults: dict[str, str]) -> ResponseReturnValue:
    """The first page on which something is to be mended."""
    interview = visit.interview()
    section = interview.section_of(item_of(next(iter(faults))))
    own = {item.name for item in section.items}
    here = {name: text for name, text in faults.items() if item_of(name) in own}
    return show(visit, section.name, errors=here, status=UNPROCESSABLE)
