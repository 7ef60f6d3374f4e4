"""The cases of tests/conformance, on the Python side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from form_definitions import QUESTION_TYPES, RoutingContext, holds, relevant_items, split_by_path
from tests.form_definitions.definitions import item_from, questionnaire_from

FOLDER = Path(__file__).parents[1] / "conformance"
CONDITIONS = json.loads((FOLDER / "conditions.json").read_text(encoding="utf-8"))
ROUTING = json.loads((FOLDER / "routing.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))


def named(case: Any) -> str | None:
    return case.get("name") if isinstance(case, dict) else None


@pytest.mark.parametrize("case", CONDITIONS, ids=named)
def test_a_condition_holds_or_not(case: dict[str, Any]) -> None:
    assert holds(case["condition"], case["answers"]) is case["holds"]


@pytest.mark.parametrize("case", ROUTING["cases"], ids=named)
def test_a_person_is_asked_what_concerns_them(case: dict[str, Any]) -> None:
    questionnaire = questionnaire_from(ROUTING["definitions"][case["definition"]])
    context = RoutingContext(**case["context"])
    assert [item.name for item in relevant_items(questionnaire, case["answers"], context)] == case["asked"]
    on_path, off_path = split_by_path(questionnaire, case["answers"], context)
    assert (list(on_path), list(off_path)) == (case["on_path"], case["off_path"])
    assert on_path | off_path == case["answers"]


@pytest.mark.parametrize("case", ANSWERS["parse"], ids=repr)
def test_what_a_form_sent_stands_for_one_value(case: dict[str, Any]) -> None:
    item = item_from(ANSWERS["items"][case["item"]])
    value = QUESTION_TYPES[item.question_type].parse(item, case["raw"])
    assert value == case["value"]
    assert type(value) is type(case["value"])


@pytest.mark.parametrize("case", ANSWERS["check"], ids=repr)
def test_a_value_is_judged(case: dict[str, Any]) -> None:
    item = item_from(ANSWERS["items"][case["item"]])
    faults = QUESTION_TYPES[item.question_type].check(item, case["value"])
    assert [{"code": fault.code, "parameters": fault.parameters} for fault in faults] == case["faults"]
    assert {fault.item_name for fault in faults} <= {item.name}


def test_every_question_type_and_every_fault_has_cases() -> None:
    items = ANSWERS["items"]
    for part in ("parse", "check"):
        assert {items[case["item"]]["type"] for case in ANSWERS[part]} == set(QUESTION_TYPES)
    told = {fault["code"] for case in ANSWERS["check"] for fault in case["faults"]}
    assert told == {
        "control_character",
        "exclusive_option",
        "not_a_number",
        "not_a_whole_number",
        "too_large",
        "too_long",
        "too_many",
        "too_small",
        "unknown_option",
        "wrong_shape",
    }


@pytest.mark.parametrize("not_a_number", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_is_not_a_number(not_a_number: float) -> None:
    item = item_from(ANSWERS["items"]["free_number"])
    assert [fault.code for fault in QUESTION_TYPES["number"].check(item, not_a_number)] == ["not_a_number"]


@pytest.mark.parametrize("surrogate", ["\ud800", "a\udfffb"])
def test_a_lone_surrogate_is_a_forbidden_character(surrogate: str) -> None:
    item = item_from(ANSWERS["items"]["long"])
    assert [fault.code for fault in QUESTION_TYPES["long_text"].check(item, surrogate)] == [
        "control_character"
    ]
