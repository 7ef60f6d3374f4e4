"""The answers of one person: checked against the path, required and advised."""

from __future__ import annotations

import pytest

from form_definitions import (
    AnswerFault,
    Questionnaire,
    RoutingContext,
    check_answers,
    soft_warnings,
    split_by_path,
)
from tests.form_definitions.definitions import loaded

TABLET = RoutingContext("tablet", "hall")


@pytest.fixture(scope="module")
def questionnaire() -> Questionnaire:
    return loaded("""
        - item: reason
          type: single_choice
          label: Pourquoi ?
          requirement: required
          options: [{option: permit, label: Un titre}, {option: other, label: Autre, specify: Précisez}]
        - {item: minutes, type: number, label: Combien de temps ?, minimum: 0, maximum: 300}
        - item: comment
          type: long_text
          label: Pourquoi si longtemps ?
          requirement: advised
          relevant_if: {answered: minutes}
        - {item: online, type: short_text, label: Quelle page ?, requirement: required, modes: [website]}
    """)


def faults(questionnaire: Questionnaire, answers: dict[str, object]) -> list[tuple[str, str]]:
    return [(fault.item_name, fault.code) for fault in check_answers(questionnaire, answers, TABLET)]


def test_correct_answers_have_no_fault(questionnaire: Questionnaire) -> None:
    assert faults(questionnaire, {"reason": ["other"], "reason.other": "un avis", "minutes": 0}) == []


def test_a_required_item_on_the_path_is_missing(questionnaire: Questionnaire) -> None:
    assert faults(questionnaire, {}) == [("reason", "missing")]
    assert check_answers(questionnaire, {}, RoutingContext("website", "hall"))[1] == AnswerFault(
        "online", "missing"
    )


def test_faults_come_in_the_order_of_the_questionnaire(questionnaire: Questionnaire) -> None:
    answers = {"comment": "x" * 2001, "minutes": 301, "reason": ["other"], "reason.other": "y" * 201}
    assert faults(questionnaire, answers) == [
        ("reason.other", "too_long"),
        ("minutes", "too_large"),
        ("comment", "too_long"),
    ]


def test_an_answer_off_the_path_is_not_judged(questionnaire: Questionnaire) -> None:
    answers: dict[str, object] = {"reason": ["permit"], "comment": 12, "online": [], "gone": "x"}
    assert faults(questionnaire, answers) == []
    assert list(split_by_path(questionnaire, answers, TABLET)[1]) == ["comment", "online", "gone"]


def test_an_advised_item_is_said_softly_and_only_on_the_path(questionnaire: Questionnaire) -> None:
    assert soft_warnings(questionnaire, {}, TABLET) == ()
    assert soft_warnings(questionnaire, {"minutes": 5}, TABLET) == (AnswerFault("comment", "advised"),)
    assert soft_warnings(questionnaire, {"minutes": 5, "comment": "a"}, TABLET) == ()
    assert faults(questionnaire, {"reason": ["permit"], "minutes": 5}) == []
