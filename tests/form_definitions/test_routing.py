"""Laws of the path, on random questionnaires and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import form_definitions
from form_definitions import Questionnaire, RoutingContext, load_questionnaire, relevant_items, split_by_path
from form_definitions.conditions import holds, items_named
from tests.form_definitions.definitions import FIXTURES, questionnaire_from

QUESTIONNAIRES = [
    load_questionnaire(path)
    for folder in (Path(form_definitions.__file__).parent, FIXTURES)
    for path in sorted((folder / "questionnaires").glob("*.yaml"))
]
CODES = ["a", "b"]


def conditions(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions about some items."""
    if not names:
        return st.sampled_from([{"all": []}, {"any": []}])
    name, code = st.sampled_from(names), st.sampled_from(CODES)
    leaves = st.one_of(
        st.builds(lambda item: {"answered": item}, name),
        st.builds(lambda item, option: {"is": [item, option]}, name, code),
        st.builds(lambda item, options: {"any_of": [item, options]}, name, st.lists(code, max_size=2)),
    )
    return st.recursive(
        leaves,
        lambda part: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(part, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(part, max_size=3)),
            st.builds(lambda one: {"not": one}, part),
        ),
        max_leaves=5,
    )


@st.composite
def random_questionnaires(draw: st.DrawFn) -> Questionnaire:
    """Up to four sections whose items look at any item above them."""
    names: list[str] = []
    sections = []
    places = st.sampled_from([None, ["hall"], ["hall", "remote"]])
    modes = st.sampled_from([None, ["tablet"], ["website"]])
    for number in range(draw(st.integers(1, 4))):
        routing = {
            "relevant_if": draw(st.none() | conditions(names)),
            "sites": draw(places),
            "modes": draw(modes),
        }
        items = []
        for _ in range(draw(st.integers(1, 4))):
            items.append(
                {
                    "name": f"item_{len(names)}",
                    "type": "multiple_choice",
                    "options": [{"code": code, "exclusive": False, "specify": True} for code in CODES],
                    "relevant_if": draw(st.none() | conditions(names)),
                    "sites": draw(places),
                    "modes": draw(modes),
                }
            )
            names.append(f"item_{len(names)}")
        sections.append({"name": f"section_{number}", **routing, "items": items})
    return questionnaire_from({"sections": sections})


CONTEXTS = st.builds(
    RoutingContext, st.sampled_from(["tablet", "website"]), st.sampled_from([None, "hall", "remote"])
)


@st.composite
def answers_to(draw: st.DrawFn, questionnaire: Questionnaire) -> dict[str, object]:
    """Any answers, on the path or not, with texts beside options and unknown keys."""
    answers: dict[str, object] = {}
    for item in questionnaire.items:
        if draw(st.booleans()):
            codes = [option.code for option in item.options] or ["a"]
            answers[item.name] = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=2, unique=True))
            if draw(st.booleans()):
                answers[f"{item.name}.{codes[0]}"] = "texte"
    return answers | draw(st.sampled_from([{}, {"gone": ["a"]}, {"item_0.": "x"}, {".": "x"}]))


@given(st.data(), st.one_of(random_questionnaires(), st.sampled_from(QUESTIONNAIRES)), CONTEXTS)
@settings(max_examples=150, deadline=None)
def test_the_laws_of_the_path(
    data: st.DataObject, questionnaire: Questionnaire, context: RoutingContext
) -> None:
    answers = data.draw(answers_to(questionnaire))
    on_path, off_path = split_by_path(questionnaire, answers, context)
    asked = relevant_items(questionnaire, answers, context)
    # Nothing is lost, nothing is in both.
    assert on_path | off_path == answers
    assert not on_path.keys() & off_path.keys()
    # What is off the path changes nothing: leaving it out asks the same items.
    assert relevant_items(questionnaire, on_path, context) == asked
    assert split_by_path(questionnaire, on_path, context) == (on_path, {})
    # The order is the questionnaire's, and everybody asked fits the site and the mode.
    assert [item for item in questionnaire.items if item in asked] == list(asked)
    assert all(context.admits(item) for item in asked)
    # An item is asked exactly when its condition holds for the answers on the path.
    for section in questionnaire.sections:
        for item in section.items:
            parts = (section, item)
            fits = all(context.admits(part) for part in parts)
            holding = all(part.relevant_if is None or holds(part.relevant_if, on_path) for part in parts)
            assert (item in asked) is (fits and holding)


@given(conditions(["item_0", "item_1"]))
@settings(max_examples=200, deadline=None)
def test_a_condition_and_its_negation_never_agree(condition: dict[str, Any]) -> None:
    for answers in ({}, {"item_0": ["a"]}, {"item_0": ["a"], "item_1": ["b", "a"]}):
        assert holds({"not": condition}, answers) is not holds(condition, answers)
    assert set(items_named(condition)) <= {"item_0", "item_1"}


@pytest.mark.parametrize("questionnaire", QUESTIONNAIRES, ids=lambda questionnaire: questionnaire.slug)
def test_conditions_name_earlier_items_only(questionnaire: Questionnaire) -> None:
    seen: set[str] = set()
    for section in questionnaire.sections:
        assert set(items_named(section.relevant_if or {"all": []})) <= seen
        for item in section.items:
            assert set(items_named(item.relevant_if or {"all": []})) <= seen
            seen.add(item.name)
