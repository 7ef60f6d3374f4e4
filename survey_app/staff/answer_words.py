"""What a response says, in the words of its questionnaire: for whoever decides about it. Floor 5.

A code that the questionnaire does not know stays as it is: it may be why the response is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from form_definitions import Questionnaire
from survey_app.database import db
from survey_app.models import QuestionnaireVersion
from survey_app.questionnaires import questionnaire_of
from survey_app.responses.counts import StoredResponse
from survey_app.responses.variants import Variant

NOTHING = "sans réponse"


@dataclass(frozen=True)
class Said:
    """A question, and what each of the contents answers to it; ``counted``: not kept apart."""

    question: str
    answers: tuple[str, ...]
    counted: bool = True


def said_by(response: StoredResponse) -> list[Said]:
    """The answers of a response, those kept apart last."""
    asked = _questionnaire(response.questionnaire_digest)
    return [
        Said(_question(asked, key), (_answer(asked, key, value),), counted)
        for answers, counted in ((response.answers, True), (response.other_answers, False))
        for key, value in _in_order(asked, answers).items()
    ]


def said_otherwise(variant: Variant) -> list[Said]:
    """Both contents side by side, question by question, where they differ."""
    asked = _questionnaire(variant.questionnaire_digest)
    return [
        Said(_question(asked, key), tuple(_answer(asked, key, value) for value in both))
        for key, both in _in_order(asked, variant.differences or {}).items()
    ]


def _questionnaire(digest: str) -> Questionnaire | None:
    version = db.session.get(QuestionnaireVersion, digest)
    return questionnaire_of(version) if version else None


def _in_order(asked: Questionnaire | None, answers: Mapping[str, Any]) -> dict[str, Any]:
    """As the questionnaire asks; what it does not ask comes last."""
    place = {name: number for number, name in enumerate(asked.questions if asked else ())}
    return dict(sorted(answers.items(), key=lambda pair: place.get(pair[0].partition(".")[0], len(place))))


def _question(asked: Questionnaire | None, key: str) -> str:
    """The key of a text beside an option is « item.option »."""
    name, _, code = key.partition(".")
    item = asked.items_by_name.get(name) if asked else None
    if asked is None or item is None:
        return key
    option = item.option(code) if code else None
    return f"{asked.questions[name]} – {option.label}" if option else asked.questions[name]


def _answer(asked: Questionnaire | None, key: str, value: Any) -> str:
    if value is None:
        return NOTHING
    item = asked.items_by_name.get(key) if asked else None
    if not isinstance(value, list):
        return f"{value}\u00a0{item.unit}" if item and item.unit else str(value)
    labels = {option.code: option.label for option in item.options} if item else {}
    return ", ".join(_labels(labels, value)) or NOTHING


def _labels(labels: Mapping[str, str], codes: Iterable[Any]) -> Iterable[str]:
    return (labels.get(str(code), str(code)) for code in codes)
