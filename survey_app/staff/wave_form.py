"""The form of a wave: as it is shown at first, and read as a `WavePlan`, all faults at once. Floor 5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from werkzeug.datastructures import MultiDict

from form_definitions import SOURCE_LANGUAGE, Questionnaire
from survey_app import questionnaires
from survey_app.clock import today_in_paris
from survey_app.invitations.preparing import MODE
from survey_app.models import QuestionnaireVersion
from survey_app.staff.pages import site_name
from survey_app.waves import EXPECTED, PlanFault, WavePlan, find_wave, plan_faults

FIELDS: Final = (
    *("title", "id", "opens_on", "closes_on", "sites", "modes", "languages", EXPECTED),
    *("headline_sites", "headline_modes", "threshold", "minimum_base", "population", "method", "anonymity"),
)
"""In the order of the form, which is that of the summary of its faults."""
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
"""Fits every database."""
_SHARE: Final = re.compile(r"([0-9]{1,6}(?:[./][0-9]{1,6})?)(%?)")
_SPACES: Final = re.compile(r"\s")
USUAL_LENGTH: Final = timedelta(days=28)


class FormReader:
    """Reads field by field; one that cannot be read is a fault, and leaves a value that keeps every rule."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.faults: list[PlanFault] = []

    def day(self, field: str, label: str) -> date | None:
        """A day."""
        try:
            return date.fromisoformat(self._form.get(field, ""))
        except ValueError:
            self.faults.append(PlanFault(field, f"{label} est une date, comme 2026-10-01."))
            return None

    def whole(self, field: str, label: str) -> int | None:
        """A whole number, or nothing."""
        text = self._text(field)
        if _WHOLE.fullmatch(text):
            return int(text)
        if text:
            self.faults.append(PlanFault(field, f"{label} est un nombre entier, ou reste vide."))
        return None

    def threshold(self, field: str) -> Fraction:
        """« 3/4 », « 75 % » or « 0,75 »."""
        found = _SHARE.fullmatch(self._text(field).replace(",", "."))
        try:
            share = Fraction(found[1]) if found else None
        except ZeroDivisionError:
            share = None
        if found is None or share is None:
            self.faults.append(PlanFault(field, "Le seuil est une fraction, comme 3/4."))
            return WavePlan.threshold
        return share / 100 if found[2] else share

    def _text(self, field: str) -> str:
        return _SPACES.sub("", self._form.get(field, ""))


def read_plan(
    form: MultiDict[str, str], questionnaire: Questionnaire, *, wave_id: str | None = None
) -> tuple[WavePlan, Sequence[PlanFault]]:
    """The plan that the form describes, and all that is wrong with it; `wave_id` of a wave that exists."""
    reader = FormReader(form)
    plan = _plan(reader, form, questionnaire, wave_id)
    unreadable = {fault.field for fault in reader.faults}
    broken = [f for f in plan_faults(plan, is_new=wave_id is None) if f.field not in unreadable]
    faults = [*reader.faults, *broken]
    if plan.closes_on < today_in_paris() and not {"opens_on", "closes_on"} & {f.field for f in faults}:
        faults.append(
            PlanFault("closes_on", "Ces dates sont passées\u00a0: la fin est aujourd’hui ou plus tard.")
        )
    return plan, sorted(faults, key=_place)


def _place(fault: PlanFault) -> int:
    return next(place for place, name in enumerate(FIELDS) if fault.field.startswith(name))


def _plan(
    reader: FormReader, form: MultiDict[str, str], questionnaire: Questionnaire, wave_id: str | None
) -> WavePlan:
    opens_on, closes_on = reader.day("opens_on", "Le début"), reader.day("closes_on", "La fin")
    one_day = opens_on or closes_on or date.max
    minimum_base = reader.whole("minimum_base", "La base minimale")
    return WavePlan(
        id=wave_id or form.get("id", "").strip(),
        title=form.get("title", "").strip(),
        questionnaire_digest=form.get("questionnaire_digest", ""),
        opens_on=opens_on or one_day,
        closes_on=closes_on or one_day,
        sites=tuple(form.getlist("sites")),
        languages=tuple(form.getlist("languages")),
        modes=tuple(form.getlist("modes")),
        headline_modes=tuple(form.getlist("headline_modes")),
        headline_sites=tuple(form.getlist("headline_sites")),
        expected_visits=_expected(reader, questionnaire),
        anonymity=form.get("anonymity", WavePlan.anonymity),
        population=reader.whole("population", "La population"),
        threshold=reader.threshold("threshold"),
        method=form.get("method", WavePlan.method),
        minimum_base=WavePlan.minimum_base if minimum_base is None else minimum_base,
    )


def _expected(reader: FormReader, questionnaire: Questionnaire) -> dict[str, int]:
    label = "Le nombre de visites attendues ({})"
    counts = {
        site: reader.whole(EXPECTED + site, label.format(site_name(site))) for site in questionnaire.sites
    }
    return {site: count for site, count in counts.items() if count is not None}


def usual_form(version: QuestionnaireVersion) -> MultiDict[str, str]:
    """A new wave: everything ticked, four weeks from the first of next month.

    By personal link, nothing else is: on the website anybody could answer in the place of an official.
    """
    questionnaire = questionnaires.questionnaire_of(version)
    start = (today_in_paris().replace(day=1) + timedelta(days=32)).replace(day=1)
    code, turn = _free_code(f"{version.slug.replace('_', '-')}-{start.year}")
    form = MultiDict(
        {
            "id": code,
            "title": f"{questionnaire.title}, {start.year}{f' ({turn})' if turn > 1 else ''}",
            "opens_on": start.isoformat(),
            "closes_on": (start + USUAL_LENGTH).isoformat(),
            "threshold": str(WavePlan.threshold),
            "minimum_base": str(WavePlan.minimum_base),
        }
    )
    for name in ("sites", "headline_sites"):
        form.setlist(name, list(questionnaire.sites))
    by_link = MODE in questionnaire.modes
    for name in ("modes", "headline_modes"):
        form.setlist(name, [MODE] if by_link else list(questionnaire.modes))
    form.setlist("languages", [SOURCE_LANGUAGE, *(() if by_link else version.translations)])
    return form


def _free_code(wanted: str) -> tuple[str, int]:
    """The code, or the first of « code-2 », « code-3 »… that no edition has; and its number."""
    turn, code = 1, wanted
    while find_wave(code) is not None:
        turn += 1
        code = f"{wanted}-{turn}"
    return code, turn


def form_of(plan: WavePlan) -> MultiDict[str, str]:
    """The form that describes this plan."""
    form = MultiDict(
        {
            "id": plan.id,
            "title": plan.title,
            "opens_on": plan.opens_on.isoformat(),
            "closes_on": plan.closes_on.isoformat(),
            "threshold": str(plan.threshold),
            "minimum_base": str(plan.minimum_base),
            "population": "" if plan.population is None else str(plan.population),
            "method": plan.method,
            "anonymity": plan.anonymity,
            **{EXPECTED + site: str(count) for site, count in plan.expected_visits.items()},
        }
    )
    for name in ("sites", "modes", "languages", "headline_modes", "headline_sites"):
        form.setlist(name, list(getattr(plan, name)))
    return form
