"""A question type is known everywhere: the right answers of its conformance cases go the whole way.

Whoever adds a type writes its cases first (tests/conformance/answers.json); then these tests name what does
not know it yet. A place that falls back on something (a text, an empty cell) would else be wrong in silence.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from analysis.outcomes import Outcome, item_reader
from form_definitions import QUESTION_TYPES, Item, Questionnaire, Section, item_faults
from form_definitions.language import LIMITS, TYPE_KEYS
from survey_app import create_app, settings
from survey_app.exports.codebook import codebook_rows
from survey_app.exports.response_table import item_blocks
from survey_app.exports.responses_csv import write_open
from survey_app.questionnaire_view import view_of
from survey_app.rendering import Page, definition_json, draw_section
from survey_app.synthetic_answers import Population, people
from tests.form_definitions.definitions import item_from
from tests.survey_app.exported_waves import Answered, a_source

CASES = json.loads((Path(__file__).parents[1] / "conformance" / "answers.json").read_text(encoding="utf-8"))
ITEMS = {name: item_from(definition) for name, definition in CASES["items"].items()}
ANSWERED = {name: item for name, item in ITEMS.items() if QUESTION_TYPES[item.question_type].takes_answer}
RIGHT = [(ITEMS[case["item"]], case["value"]) for case in CASES["check"] if not case["faults"]]
NO_LIMITS = {"name", "type", "requirement", "relevant_if", "sites", "modes", "options"}
BOUNDED = [
    (ITEMS[name], key)
    for name, definition in CASES["items"].items()
    for key, value in definition.items()
    if key not in NO_LIMITS and value is not None
]
WORDS = "Mme Martin"


def named(part: object) -> str:
    return part.name if isinstance(part, Item) else repr(part)


def asking(*items: Item) -> Questionnaire:
    return Questionnaire(
        slug="types",
        title="Tous les types",
        framework="none",
        estimated_minutes=1,
        modes=("tablet",),
        sites=("hall",),
        commitments=(),
        sections=(Section(name="all", title="Tout", blocks=items),),
    )


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings.testing(data_folder=tmp_path))
    with app.test_request_context():
        yield app


def test_every_key_that_a_type_takes_is_a_field_of_an_item() -> None:
    assert TYPE_KEYS.keys() <= Item.model_fields.keys()


def test_every_limit_has_a_case() -> None:
    assert {limit for _, limit in BOUNDED} == set(LIMITS)


@pytest.mark.parametrize("item", ANSWERED.values(), ids=ANSWERED)
def test_what_may_be_any_words_is_called_a_free_text_and_erased_as_such(item: Item) -> None:
    question_type = QUESTION_TYPES[item.question_type]
    assert question_type.free_text is (question_type.check(item, WORDS) == ())


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("item, value", RIGHT, ids=named)
def test_an_answer_is_shown_again_on_its_page(item: Item, value: Any) -> None:
    (section,) = view_of(asking(item), {}, "fr", "tablet").sections
    assert draw_section(section, Page(answers={item.name: value})) != draw_section(section, Page())


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("item, limit", BOUNDED, ids=named)
def test_the_browser_is_told_every_limit_that_it_checks(item: Item, limit: str) -> None:
    view = view_of(asking(item), {}, "fr", "tablet")
    (section,) = json.loads(definition_json(view, view.sections, Page()))["sections"]
    assert section["items"][0][limit] == getattr(item, limit)


@pytest.mark.parametrize("item, value", RIGHT, ids=named)
def test_an_answer_has_a_cell_and_only_a_free_text_is_kept_from_most_readers(item: Item, value: Any) -> None:
    def cells(*, verbatims: bool) -> list[Any]:
        blocks = item_blocks([item], labels=True, verbatims=verbatims)
        read = [cell for block in blocks for cell in block.read({item.name: value}, frozenset({item.name}))]
        return [cell for cell in read if cell is not None]

    assert cells(verbatims=True) != [], f"response_table.py has no column for the type {item.question_type}"
    assert (cells(verbatims=False) == []) is QUESTION_TYPES[item.question_type].free_text


def test_the_file_for_programs_has_a_heading_for_each_column_and_the_answers_as_given() -> None:
    questionnaire, values = asking(*ANSWERED.values()), {item.name: value for item, value in RIGHT}
    stream = io.BytesIO()
    write_open(a_source([Answered(values, site="hall")], questionnaire=questionnaire), stream)
    header, row = csv.reader(io.StringIO(stream.getvalue().decode()))
    assert sorted(header) == sorted(set(header))
    for item in ANSWERED.values():
        if not item.options and not QUESTION_TYPES[item.question_type].free_text:
            assert row[header.index(item.name)] == str(values[item.name])


@pytest.mark.parametrize("item, limit", BOUNDED, ids=named)
def test_the_codebook_tells_the_limits(item: Item, limit: str) -> None:
    words = next(iter(codebook_rows([item])))[4]
    assert re.search(rf"(?<!\d){getattr(item, limit)}(?!\d)", str(words))


@pytest.mark.parametrize("name", sorted({item.question_type for item in ANSWERED.values()}))
def test_the_figures_take_an_answer_for_an_answer(name: str) -> None:
    read = [
        reader.read(value).outcome
        for item, value in RIGHT
        if item.question_type == name and (reader := item_reader(item))
    ]
    assert set(read) - {Outcome.UNANSWERED}


def test_the_demonstration_answers_every_type_and_rightly() -> None:
    crowd = Population(
        size=200,
        sites={"hall": 1.0},
        modes={"hall": {"tablet": 1.0}},
        languages={"fr": 1.0},
        satisfied={},
        at_site={},
    )
    day = Answered({}).answered_on
    given = [person.answers for person in people(asking(*ITEMS.values()), crowd, first=day, last=day, seed=1)]
    assert {name for answers in given for name in answers} == set(ANSWERED)
    faults = [
        fault for answers in given for item in ANSWERED.values() for fault in item_faults(item, answers)
    ]
    assert [fault for fault in faults if fault.code != "missing"] == []
