"""The duration that a questionnaire announces is held against its questions."""

from __future__ import annotations

import pytest

from form_definitions import CheckedSource, load_questionnaire
from form_definitions.duration import expected_minutes
from form_definitions.library import FOLDER
from tests.form_definitions.definitions import HEAD, check_questions, loaded

ASKED = "- {{item: q{0}, type: satisfaction, scale: faces_4, label: Votre avis {0}{1}}}\n"


def questions(count: int, more: str = "") -> str:
    return "".join(ASKED.format(number, more) for number in range(count))


def told(announced: int, text: str) -> CheckedSource:
    return check_questions(text, head=HEAD.replace("minutes: 1", f"minutes: {announced}"))


@pytest.mark.parametrize(
    "announced, count, far",
    [
        (2, 14, False),
        (2, 20, False),
        (1, 20, True),
        (2, 40, True),
        (6, 40, False),
        (15, 20, True),
        (1, 1, False),
    ],
)
def test_a_duration_far_from_what_the_questions_take_is_a_warning(
    announced: int, count: int, far: bool
) -> None:
    checked = told(announced, questions(count))
    assert checked.questionnaire is not None, "a warning keeps nothing from being published"
    assert [(fault.code, fault.severity) for fault in checked.faults] == [("duration_far", "warning")] * far


def test_only_the_longest_way_counts_and_what_some_are_asked_counts_half() -> None:
    everybody = expected_minutes(loaded(questions(10)))
    for_one_site = (
        questions(10) + ASKED.format("x", ", sites: [hall]") + ASKED.format("y", ", sites: [remote]")
    )
    assert expected_minutes(loaded(for_one_site)) == pytest.approx(everybody * 11 / 10)
    sometimes = questions(10) + ASKED.format("x", ", relevant_if: {answered: q0}")
    assert expected_minutes(loaded(sometimes)) == pytest.approx(everybody * 10.5 / 10)


def test_the_shipped_questionnaires_announce_what_they_take() -> None:
    for path in (FOLDER / "questionnaires").glob("*.yaml"):
        shipped = load_questionnaire(path)
        assert (
            shipped.estimated_minutes / 1.75 <= expected_minutes(shipped) <= shipped.estimated_minutes * 1.75
        )
