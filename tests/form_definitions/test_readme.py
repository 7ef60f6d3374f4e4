"""The README of form_definitions is true: its tables are compared with the code, its example is loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import form_definitions
from form_definitions import QUESTION_TYPES, check_source
from form_definitions.answers import check_answers
from form_definitions.condition_reading import ConditionReader, ReadCondition
from form_definitions.conditions import OPERATORS, holds
from form_definitions.errors import Report
from form_definitions.language import QUESTIONNAIRE, RATE, TYPE_KEYS
from form_definitions.routing import RoutingContext
from form_definitions.yaml_source import read_yaml
from tests.form_definitions.definitions import loaded

FOLDER = Path(form_definitions.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, cells without their blanks."""
    part = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


TYPES = {codes(row[0])[0]: row for row in table("Question types")}
EXAMPLES = [row for row in table("Answers in JSON") if row[0].startswith("`")]


def test_the_table_of_types_is_the_registry() -> None:
    assert set(TYPES) == set(QUESTION_TYPES)


@pytest.mark.parametrize("name", QUESTION_TYPES)
def test_a_row_tells_the_keys_the_limits_and_the_rate_of_its_type(name: str) -> None:
    question_type, (_, what, keys, measures) = QUESTION_TYPES[name], TYPES[name]
    assert set(codes(keys)) == question_type.keys <= TYPE_KEYS.keys()
    assert (measures == "yes") is question_type.has_rate
    for limit in question_type.defaults.values():
        assert str(limit) in what


def test_the_table_of_conditions_has_the_six_operators() -> None:
    examples = [codes(row[0])[0] for row in table("Conditions")]
    assert [re.match(r"\{(\w+):", example)[1] for example in examples] == list(OPERATORS)  # type: ignore[index]


@pytest.mark.parametrize("row", table("Conditions"), ids=lambda row: row[0])
def test_each_condition_of_the_table_can_be_read(row: list[str]) -> None:
    report = Report("README.md")
    node = read_yaml(
        re.sub(r"\bcondition\b", "{answered: item}", codes(row[0])[0]).replace("option, option", "a, b"),
        report,
    )
    assert node is not None
    read = ConditionReader().read(node, report)
    assert isinstance(read, ReadCondition), report.faults
    assert isinstance(holds(read.condition, {}), bool)


def test_the_table_of_rates_names_keys_that_exist() -> None:
    named = {codes(row[0])[0] for row in table("Rates")}
    assert named == set(RATE.keys) | {"commitment_rules", "commitments"}
    assert {"commitment_rules", "commitments"} <= QUESTIONNAIRE.keys.keys()


def test_the_table_of_answers_has_every_type() -> None:
    assert [codes(row[0])[0] for row in EXAMPLES] == list(TYPES)


@pytest.mark.parametrize("row", table("Answers in JSON"), ids=lambda row: row[0])
def test_each_example_of_an_answer_is_a_correct_answer(row: list[str]) -> None:
    questionnaire = loaded("""
        - item: reason
          type: single_choice
          label: Pourquoi ?
          options: [{option: permit, label: Un titre}, {option: other, label: Autre, specify: Précisez}]
        - item: topics
          type: multiple_choice
          label: Quels sujets ?
          options: [{option: forms, label: Formulaires}, {option: web, label: Internet}]
        - item: courtesy
          type: satisfaction
          label: La politesse
          options:
            - {option: very_satisfied, label: Très bien, face: 5}
            - {option: dissatisfied, label: Mal, face: 2}
        - {item: minutes, type: number, label: Combien ?}
        - {item: word, type: short_text, label: Un mot ?}
        - {item: comment, type: long_text, label: Une suggestion ?}
        - {item: recommend, type: recommendation, label: Une note ?}
    """)
    answers = json.loads(codes(row[2])[0])
    assert set(answers) <= set(questionnaire.items_by_name) | {"reason.other"}
    assert check_answers(questionnaire, answers, RoutingContext("tablet", "hall")) == ()
    kinds = {questionnaire.items_by_name[name.partition(".")[0]].question_type for name in answers}
    assert kinds <= {*codes(row[0]), "single_choice"}


def test_the_example_is_a_correct_questionnaire() -> None:
    source = README.split("```yaml\n")[1].split("```")[0]
    checked = check_source(source, name="README.md", folder=FOLDER)
    assert [str(fault) for fault in checked.faults] == []
    assert checked.questionnaire
    used = {item.question_type for item in checked.questionnaire.items}
    assert used >= {"single_choice", "satisfaction", "number", "long_text", "note"}
    assert yaml.safe_load(source)["questionnaire"] == "visit"


def test_the_table_of_files_has_every_module() -> None:
    listed = {codes(row[0])[0] for row in table("The files")}
    assert listed == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}


def test_the_door_names_everything_once() -> None:
    assert len(form_definitions.__all__) == len(set(form_definitions.__all__))
    for name in form_definitions.__all__:
        assert getattr(form_definitions, name) is not None
