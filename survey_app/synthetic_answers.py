"""Answers of people who do not exist, for the demonstration; seeded: every start shows the same figures."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from form_definitions import CollectionMode, Item, Questionnaire
from survey_app.exports.asked_items import AskedItems

Site = str


@dataclass(frozen=True)
class Person:
    """One synthetic respondent and all that the person answered."""

    site: Site
    mode: CollectionMode
    language: str
    day: date
    complete: bool
    answers: Mapping[str, Any]
    assisted: bool | None = None


@dataclass(frozen=True)
class Population:
    """Who answers, and how content they are, commitment by commitment."""

    size: int
    sites: Mapping[Site, float]
    modes: Mapping[Site, Mapping[CollectionMode, float]]
    languages: Mapping[str, float]
    satisfied: Mapping[str, float]
    """Commitment → share of favourable answers."""
    at_site: Mapping[tuple[Site, str], float]
    """(Site, commitment) → share where it differs."""


DESK: Final[Mapping[CollectionMode, float]] = {"tablet": 0.86, "website": 0.06, "paper": 0.08}
USERS = Population(
    size=1500,
    sites={"accueil_general": 0.44, "point_numerique": 0.19, "immigration": 0.31, "a_distance": 0.06},
    modes={
        "accueil_general": DESK,
        "point_numerique": DESK,
        "immigration": DESK,
        "a_distance": {"website": 1.0},
    },
    languages={"fr": 0.86, "en": 0.08, "ar": 0.06},
    satisfied={
        "courtoisie": 0.93,
        "explications": 0.85,
        "information": 0.75,
        "orientation": 0.89,
        "attente": 0.66,
        "rendez_vous": 0.55,
        "agent_identifie": 0.71,
        "confidentialite": 0.91,
        "accueil_adapte": 0.81,
        "aide_numerique": 0.88,
        "telephone": 0.62,
        "satisfaction_generale": 0.86,
        "ecoute": 0.58,
    },
    at_site={("immigration", "confidentialite"): 0.6, ("immigration", "attente"): 0.48},
)
OFFICIALS = Population(
    size=150,
    sites={"a_distance": 1.0},
    modes={"a_distance": {"personal_link": 1.0}},
    languages={"fr": 1.0},
    satisfied={"relations_prefecture": 0.68, "conseil": 0.9, "controle_legalite": 0.78},
    at_site={},
)
USUALLY_SATISFIED = 0.82
MOOD = 0.16
"""How much one person's answers go together: contented people are contented with everything."""

NOT_CONCERNED, SKIPPED, PARTIAL, TWO_TICKS = 0.06, 0.05, 0.05, 0.3
COMMENTED = 0.12
HELP: Final[Mapping[bool | None, float]] = {True: 0.08, False: 0.37, None: 0.55}
COMMENTS = (
    "L’attente m’a paru longue, mais l’agent était aimable.",
    "Tout s’est bien passé, merci.",
    "Je n’ai pas trouvé le bon guichet tout de suite.",
    "Les rendez-vous partent trop vite.",
    "On entend ce que disent les autres personnes.",
    "Explications claires, je repars avec tous les papiers.",
)


def people(
    questionnaire: Questionnaire, population: Population, *, first: date, last: date, seed: int
) -> Iterator[Person]:
    """The people of a wave, busier weeks first and quieter weekends."""
    chance = random.Random(seed)  # noqa: S311 (nothing secret: the same figures at every start)
    helped = random.Random(seed)  # noqa: S311 (of its own: the answers stay as they were)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    asked = AskedItems(questionnaire)
    open_days = [day for day in days if day.isoweekday() <= 5] or days  # noqa: PLR2004 (Friday)
    for number in range(population.size):
        # One draw whatever the number of days: the answers are the same on every date.
        day = open_days[int(chance.random() * len(open_days))]
        person = _person(questionnaire, asked, population, chance, day, number)
        yield replace(person, assisted=_drawn(HELP, helped)) if person.mode == "tablet" else person


def _person(
    questionnaire: Questionnaire,
    asked: AskedItems,
    population: Population,
    chance: random.Random,
    day: date,
    number: int,
) -> Person:
    site = _drawn(population.sites, chance)
    mode = _drawn(population.modes[site], chance)
    mood = chance.gauss(0, MOOD)
    answers: dict[str, Any] = {}
    first = asked.of(mode, site, answers)
    on_path = [item.name for item in questionnaire.items if item.name in first]
    stops_at = chance.choice(on_path) if chance.random() < PARTIAL else None
    for item in questionnaire.items:
        if item.name == stops_at:
            break
        if item.name in asked.of(mode, site, answers):
            rate = _satisfied(population, site, item) + mood
            _answer(item, rate, chance, number, answers)
    language = _drawn(population.languages, chance)
    return Person(site, mode, language, day, stops_at is None, answers)


def _drawn(shares: Mapping[Any, float], chance: random.Random) -> Any:
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _satisfied(population: Population, site: Site, item: Item) -> float:
    commitment = item.commitment or ""
    usual = population.satisfied.get(commitment, USUALLY_SATISFIED)
    return population.at_site.get((site, commitment), usual)


def _answer(item: Item, rate: float, chance: random.Random, number: int, answers: dict[str, Any]) -> None:
    if item.requirement != "required" and chance.random() < SKIPPED:
        return
    match item.question_type:
        case "note":
            return
        case "number":
            minimum, maximum = item.minimum or 0, item.maximum or 100
            answers[item.name] = min(maximum, max(minimum, round(chance.gammavariate(2, 12))))
        case "recommendation":
            answers[item.name] = min(10, max(0, round(chance.gauss(10 * rate, 2))))
        case "short_text" | "long_text":
            if chance.random() < COMMENTED:
                text = f"Commentaire synthétique n° {number}. {chance.choice(COMMENTS)}"
                answers[item.name] = text[: item.maximum_length].strip()
        case "multiple_choice":
            inclusive = [option.code for option in item.options if not option.exclusive]
            answers[item.name] = sorted(chance.sample(inclusive, k=1 + (chance.random() < TWO_TICKS)))
        case _:
            answers[item.name] = [_chosen(item, rate, chance)]


def _chosen(item: Item, rate: float, chance: random.Random) -> str:
    absent = [option.code for option in item.options if option.role != "substantive"]
    if absent and chance.random() < NOT_CONCERNED:
        return chance.choice(absent)
    substantive = [option.code for option in item.options if option.role == "substantive"]
    if item.rate is None:
        return chance.choices(substantive, weights=range(len(substantive), 0, -1))[0]
    content = chance.random() < rate
    return chance.choice([code for code in substantive if (code in item.rate.favourable) == content])
