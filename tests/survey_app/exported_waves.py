"""A small wave in memory, as the exports are given it: no database, no clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

from analysis.tally import CellLayout, CountedResponse
from analysis.wave_report import Cell, WaveSettings, build_wave_report
from form_definitions.bundle import questionnaire_digest
from form_definitions.model import Commitment, Grid, Item, Questionnaire, RateRule, ResponseOption, Section
from survey_app.exports.asked_items import AskedItems
from survey_app.exports.source import ReportSource, WaveFacts

SCALE = (
    ResponseOption(code="good", label="Bien"),
    ResponseOption(code="bad", label="Mal"),
    ResponseOption(code="not_concerned", label="Non concerné", role="not_applicable"),
)
GOOD = RateRule(favourable=("good",))
SITES = {"accueil": "Accueil général", "immigration": "Bureau de l’immigration"}


def _scale_item(name: str, label: str, commitment: str, **more: Any) -> Item:
    return Item(
        name=name,
        question_type="satisfaction",
        label=label,
        options=SCALE,
        rate=GOOD,
        commitment=commitment,
        **more,
    )


def a_questionnaire(**changes: Any) -> Questionnaire:
    """Three commitments, every kind of column."""
    reasons = (
        ResponseOption(code="permit", label="Titre de séjour"),
        ResponseOption(code="other", label="Autre", specify="Précisez"),
    )
    blocks = (
        _scale_item("courtesy", "Courtoisie de l’agent", "courtoisie"),
        Grid(
            name="waiting",
            label="L’attente :",
            items=(
                _scale_item("waiting_time", "la durée", "attente"),
                _scale_item("waiting_comfort", "le confort", "attente", sites=("accueil",)),
            ),
        ),
        Item(name="reasons", question_type="multiple_choice", label="Vos démarches", options=reasons),
        Item(
            name="minutes",
            question_type="number",
            label="Minutes d’attente",
            minimum=-10,
            maximum=300,
            relevant_if={"is": ["waiting_time", "bad"]},
        ),
        _scale_item("rare", "Rarement posée", "rare"),
        Item(name="comment", question_type="long_text", label="Un mot ?", maximum_length=1000),
        Item(name="thanks", question_type="note", label="Merci"),
    )
    commitments = tuple(
        Commitment(code=code, title=title, module="module_1", service="BRECI")
        for code, title in (
            ("courtoisie", "Accueillir avec courtoisie"),
            ("attente", "Soigner l’attente"),
            ("rare", "Répondre aux courriers"),
        )
    )
    values: dict[str, Any] = {
        "slug": "usagers",
        "title": "Votre avis",
        "framework": "qual_e_pref",
        "estimated_minutes": 2,
        "modes": ("tablet", "website", "paper"),
        "sites": tuple(SITES),
        "commitments": commitments,
        "sections": (Section(name="all", title="Tout", blocks=blocks),),
    }
    return Questionnaire(**(values | changes))


@cache
def usual_digest() -> str:
    """The digest of `a_questionnaire()`."""
    return questionnaire_digest(a_questionnaire())


@dataclass(frozen=True)
class Answered:
    """A response as floor 3 gives it."""

    answers: Mapping[str, Any]
    site: str = "accueil"
    mode: str = "tablet"
    language: str = "fr"
    answered_on: date = date(2026, 11, 4)
    complete: bool = True
    assisted: bool | None = None
    questionnaire_digest: str = field(default_factory=usual_digest)


def some_responses(count: int, seed: int = 7) -> list[Answered]:
    """Answers of many people, the same for the same seed."""
    chance = random.Random(seed)
    return [_someone(chance, number) for number in range(count)]


def _someone(chance: random.Random, number: int) -> Answered:
    site = chance.choice(tuple(SITES))
    good = {"courtesy": 0.9, "waiting_time": 0.74, "waiting_comfort": 0.6, "rare": 0.5}
    answers: dict[str, Any] = {
        name: ["good" if chance.random() < rate else "bad"]
        for name, rate in good.items()
        if chance.random() < (0.02 if name == "rare" else 0.95)
    }
    if site != "accueil":
        answers.pop("waiting_comfort", None)
    if answers.get("waiting_time") == ["bad"]:
        answers["minutes"] = chance.choice((-5, 10, 45))
    answers["reasons"] = ["permit"]
    answers["comment"] = f"Remarque {number}"
    day = date(2026, 10, 1) + timedelta(days=chance.randrange(50))
    return Answered(answers, site, chance.choice(("tablet", "website")), "fr", day, chance.random() < 0.9)


def a_source(
    responses: Sequence[Answered] | None = None,
    *,
    questionnaire: Questionnaire | None = None,
    settings: WaveSettings | None = None,
    **changes: Any,
) -> ReportSource:
    """What the exports are written from, over these responses."""
    form = questionnaire or a_questionnaire()
    given = some_responses(400) if responses is None else list(responses)
    digest = questionnaire_digest(form)
    declared = settings or WaveSettings(threshold=Fraction(3, 4))
    layout, asked = CellLayout(form), AskedItems(form)
    cells = [_cell(layout, asked, response) for response in given]
    report = build_wave_report(form, cells, declared)
    source = ReportSource(
        wave=a_wave(),
        versions={digest: form},
        report=report,
        responses=lambda: iter([replace(response, questionnaire_digest=digest) for response in given]),
        set_aside={"test": 3},
        practice=2,
        written_at=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
        software={"survey-app": "0.1.0"},
        verbatims=True,
    )
    return replace(source, **changes)


def _cell(layout: CellLayout, asked: AskedItems, response: Answered) -> Cell:
    mode: Any = response.mode
    path = asked.of(mode, response.site, response.answers)
    vector = layout.vector(CountedResponse(response.answers, path, response.complete, response.assisted))
    return Cell(response.site, response.mode, response.language, response.answered_on, vector)


def a_wave(**changes: Any) -> WaveFacts:
    """An edition of autumn 2026."""
    values: dict[str, Any] = {
        "code": "usagers-2026",
        "title": "Édition 2026",
        "survey_title": "Votre avis sur nos services",
        "organisation": "Préfecture des Deux-Sèvres",
        "state": "open",
        "opens_on": date(2026, 10, 1),
        "planned_end": date(2026, 11, 30),
        "last_day": date(2026, 11, 30),
        "anonymity": "anonymous",
        "synthetic": False,
        "sites": SITES,
        "languages": {"fr": "français"},
        "modes": ("tablet", "website", "paper"),
    }
    return WaveFacts(**(values | changes))


Writer = Callable[[ReportSource, Any], None]
