"""Questionnaires and responses for the measures; nothing here is ever served to people."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from form_definitions import Commitment, Item, Questionnaire, RateRule, ResponseOption, Section

DAY = date(2026, 11, 4)
CODES = ("very_good", "good", "bad", "very_bad", "not_concerned")
SCALE = tuple(
    ResponseOption(code=code, label=code, role="not_applicable" if code == "not_concerned" else "substantive")
    for code in CODES
)


@dataclass(frozen=True)
class Row:
    """One response as the exports take it."""

    answers: Mapping[str, Any]
    questionnaire_digest: str
    site: str = "accueil_general"
    mode: str = "tablet"
    language: str = "fr"
    answered_on: date = DAY
    complete: bool = True
    assisted: bool | None = None


def twenty_questions(items: int = 20) -> Questionnaire:
    """So many satisfaction items, four to a commitment."""
    blocks = tuple(
        Item(
            name=f"item_{n}",
            question_type="satisfaction",
            label=f"Question {n}",
            options=SCALE,
            rate=RateRule(favourable=CODES[:2]),
            commitment=f"commitment_{n // 4}",
        )
        for n in range(items)
    )
    commitments = tuple(
        Commitment(code=f"commitment_{n}", title=f"Engagement {n}", module="1")
        for n in range((items + 3) // 4)
    )
    return Questionnaire(
        slug="bench",
        title="Mesure",
        framework="none",
        estimated_minutes=2,
        modes=("tablet",),
        sites=("accueil_general",),
        commitments=commitments,
        sections=(Section(name="all", title="Tout", blocks=blocks),),
    )


def rows(form: Questionnaire, digest: str, count: int) -> list[Row]:
    """Seeded answers to every item."""
    chance = random.Random(1)  # noqa: S311 (nothing secret)
    names = [item.name for item in form.items]
    return [Row({name: [chance.choice(CODES)] for name in names}, digest) for _ in range(count)]
