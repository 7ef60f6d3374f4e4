"""What a wave may declare: every rule that its plan keeps, in French sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from form_definitions import SOURCE_LANGUAGE, Questionnaire
from survey_app.waves.plan import WavePlan

METHODS: Final = ("wilson", "clopper_pearson", "jeffreys")
ANONYMITY: Final = ("anonymous", "nominative")
RESERVED: Final = ("nouvelle",)
"""Codes that an address of the staff pages already uses."""
EARLIEST_YEAR: Final = 2000
LONGEST_TITLE: Final = 200
EXPECTED: Final = "expected_"
"""Before the code of a site: the field of the visits expected there."""
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{2,39}")

Rule = tuple[str, object, str]
"""A field, whether its rule is kept, and the sentence for when it is not."""


class PlanFault(NamedTuple):
    """One rule that a plan breaks: the field of its form, and a French sentence."""

    field: str
    sentence: str


def faults_of(plan: WavePlan, questionnaire: Questionnaire, spoken: Sequence[str]) -> list[PlanFault]:
    """Every rule that the plan breaks; `spoken` are the languages of the questionnaire."""
    rules = (*_rules_of_names(plan), *_rules_of_places(plan, questionnaire, spoken), *_rules_of_figures(plan))
    return [PlanFault(field, sentence) for field, kept, sentence in rules if not kept]


def _rules_of_names(plan: WavePlan) -> Iterator[Rule]:
    year = f"L’année {{}} s’écrit en quatre chiffres, à partir de {EARLIEST_YEAR}."
    free = _CODE.fullmatch(plan.id) and plan.id not in RESERVED
    yield "title", plan.title.strip(), "Donnez un titre."
    yield "title", len(plan.title) <= LONGEST_TITLE, f"Le titre tient en {LONGEST_TITLE} caractères."
    yield "id", free, "Le code tient en minuscules, chiffres et tirets (usagers-2026)."
    yield "opens_on", plan.opens_on.year >= EARLIEST_YEAR, year.format("du début")
    yield "closes_on", plan.closes_on.year >= EARLIEST_YEAR, year.format("de la fin")
    yield "closes_on", plan.opens_on <= plan.closes_on, "La fin ne peut pas précéder le début."


def _rules_of_places(plan: WavePlan, asked: Questionnaire, spoken: Sequence[str]) -> Iterator[Rule]:
    yield "sites", plan.sites and {*plan.sites} <= {*asked.sites}, "Choisissez des sites du questionnaire."
    yield "modes", plan.modes and {*plan.modes} <= {*asked.modes}, "Choisissez des modes du questionnaire."
    yield "languages", SOURCE_LANGUAGE in plan.languages, "Le français fait partie des langues."
    yield "languages", {*plan.languages} <= {*spoken}, "Choisissez des langues du questionnaire."
    for site, visits in plan.expected_visits.items():
        yield EXPECTED + site, visits >= 0, "Les visites attendues ne sont pas négatives."
    sites, modes = ({*plan.headline_sites}, {*plan.sites}), ({*plan.headline_modes}, {*plan.modes})
    counts = "Le chiffre principal compte au moins un {}, parmi ceux de l’édition."
    yield "headline_sites", sites[0] and sites[0] <= sites[1], counts.format("site")
    yield "headline_modes", modes[0] and modes[0] <= modes[1], counts.format("mode")


def _rules_of_figures(plan: WavePlan) -> Iterator[Rule]:
    known = plan.population is None or plan.population >= 1
    yield "threshold", 0 < plan.threshold <= 1, "Le seuil est une fraction entre 0 et 1, comme 3/4."
    yield "minimum_base", plan.minimum_base >= 1, "La base minimale vaut au moins 1."
    yield "population", known, "La population vaut au moins 1, ou reste vide."
    yield "method", plan.method in METHODS, "Choisissez une méthode de la liste."
    yield "anonymity", plan.anonymity in ANONYMITY, "Choisissez un anonymat de la liste."
