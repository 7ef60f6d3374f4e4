"""Small questionnaires and responses for the tests of figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.tally import CountedResponse
from form_definitions.model import (
    Commitment,
    CommitmentRule,
    Item,
    Questionnaire,
    RateRule,
    ResponseOption,
    Section,
)

SCALE = (
    ResponseOption(code="very_good", label="Très bien"),
    ResponseOption(code="good", label="Plutôt bien"),
    ResponseOption(code="bad", label="Plutôt mal"),
    ResponseOption(code="very_bad", label="Très mal"),
    ResponseOption(code="not_concerned", label="Non concerné", role="not_applicable"),
    ResponseOption(code="no_idea", label="Sans opinion", role="no_opinion"),
)
FAVOURABLE = ("very_good", "good")


def a_scale_item(name: str, commitment: str | None, **extra: Any) -> Item:
    """A satisfaction question that measures a commitment."""
    rate = extra.pop("rate", RateRule(favourable=FAVOURABLE))
    return Item(
        name=name,
        question_type="satisfaction",
        label=f"Question {name}",
        options=SCALE,
        commitment=commitment,
        rate=rate,
        **extra,
    )


def a_questionnaire(*items: Item, rules: dict[str, CommitmentRule] | None = None) -> Questionnaire:
    """One section of these items; the commitments are those they name."""
    codes = dict.fromkeys(item.commitment for item in items if item.commitment)
    commitments = tuple(
        Commitment(code=code, title=f"Engagement {code}", module="1", rule=(rules or {}).get(code, "pooled"))
        for code in codes
    )
    return Questionnaire(
        slug="essai",
        title="Essai",
        framework="qual_e_pref",
        estimated_minutes=1,
        modes=("tablet", "website", "paper"),
        sites=("accueil", "immigration"),
        commitments=commitments,
        sections=(Section(name="only", title="Seule", blocks=items),),
    )


def two_commitments(**extra: Any) -> Questionnaire:
    """« accueil » by three questions, « delai » by one."""
    items = [a_scale_item(f"welcome_{number}", "accueil") for number in (1, 2, 3)]
    return a_questionnaire(*items, a_scale_item("waiting", "delai"), **extra)


def a_response(questionnaire: Questionnaire, *codes: str | None, complete: bool = True) -> CountedResponse:
    """One code per item in order: None leaves it unanswered, "off_path" was not asked."""
    names = [item.name for item in questionnaire.items]
    given = dict(zip(names, codes, strict=True))
    answers = {name: [code] for name, code in given.items() if code not in (None, "off_path")}
    asked = frozenset(name for name, code in given.items() if code != "off_path")
    return CountedResponse(answers, asked, complete)


def responses(questionnaire: Questionnaire, rows: Sequence[Sequence[str | None]]) -> list[CountedResponse]:
    """One response per row of codes."""
    return [a_response(questionnaire, *row) for row in rows]
