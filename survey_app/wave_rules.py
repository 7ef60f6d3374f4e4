"""What a wave may declare: every rule that its plan keeps, in French sentences. Floor 4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from form_definitions import Questionnaire

if TYPE_CHECKING:
    from survey_app.waves import WavePlan

METHODS: Final = ("wilson", "clopper_pearson", "jeffreys")
ANONYMITY: Final = ("anonymous", "nominative")
RESERVED: Final = ("nouvelle",)
"""Codes that an address of the staff pages already uses."""
EARLIEST_YEAR: Final = 2000
LONGEST_TITLE: Final = 200
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{2,39}")


def faults_of(plan: WavePlan, questionnaire: Questionnaire, spoken: Sequence[str]) -> list[str]:
    """A sentence for each rule that the plan breaks; `spoken` are the languages of the questionnaire."""
    rules = (
        (
            _CODE.fullmatch(plan.id) and plan.id not in RESERVED,
            "Le code tient en minuscules, chiffres et tirets (usagers-2026).",
        ),
        (plan.title.strip(), "Donnez un titre."),
        (len(plan.title) <= LONGEST_TITLE, f"Le titre tient en {LONGEST_TITLE} caractères."),
        (plan.anonymity in ANONYMITY, "Choisissez un anonymat de la liste."),
        (
            min(plan.opens_on, plan.closes_on).year >= EARLIEST_YEAR,
            f"L’année d’une édition s’écrit en quatre chiffres, à partir de {EARLIEST_YEAR}.",
        ),
        (plan.opens_on <= plan.closes_on, "La fin ne peut pas précéder le début."),
        (plan.sites and {*plan.sites} <= {*questionnaire.sites}, "Choisissez des sites du questionnaire."),
        (plan.modes and {*plan.modes} <= {*questionnaire.modes}, "Choisissez des modes du questionnaire."),
        ("fr" in plan.languages, "Le français fait partie des langues."),
        ({*plan.languages} <= {*spoken}, "Choisissez des langues du questionnaire."),
        (
            plan.headline_modes and {*plan.headline_modes} <= {*plan.modes},
            "Le chiffre principal compte au moins un mode, parmi ceux de l’édition.",
        ),
        (
            plan.headline_sites and {*plan.headline_sites} <= {*plan.sites},
            "Le chiffre principal compte au moins un site, parmi ceux de l’édition.",
        ),
        (0 < plan.threshold <= 1, "Le seuil est une fraction entre 0 et 1, comme 3/4."),
        (plan.method in METHODS, "Choisissez une méthode de la liste."),
        (plan.minimum_base >= 1, "La base minimale vaut au moins 1."),
        (plan.population is None or plan.population >= 1, "La population vaut au moins 1, ou reste vide."),
        (all(n >= 0 for n in plan.expected_visits.values()), "Les visites attendues ne sont pas négatives."),
    )
    return [sentence for kept, sentence in rules if not kept]
