"""From YAML to the model: what a correct source becomes, and what no source may do."""

from __future__ import annotations

import re
import string
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from form_definitions import (
    DefinitionError,
    Grid,
    Questionnaire,
    RateRule,
    canonical_json,
    check_files,
    check_source,
    from_canonical,
    load_framework,
    load_organisation,
    load_questionnaire,
    questionnaire_digest,
)
from form_definitions.errors import FAULT_LIMIT
from form_definitions.translations import Catalogue, parse_catalogue
from tests.form_definitions.definitions import FIXTURES, HEAD, check_questions, library, loaded

EVERY_TYPE = FIXTURES / "questionnaires" / "every_type.yaml"
SOURCE = EVERY_TYPE.read_text(encoding="utf-8")
LIBRARY = library()
YAML_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@pytest.fixture(scope="module")
def every_type() -> Questionnaire:
    return load_questionnaire(EVERY_TYPE)


def test_the_fixtures_have_no_fault() -> None:
    assert [(fault.code, Path(fault.file).name) for fault in check_files(folder=FIXTURES)] == [
        ("to_fill", "organisation.yaml"),
    ]


def test_the_folder_around_a_file_is_its_library(every_type: Questionnaire) -> None:
    assert every_type == load_questionnaire(EVERY_TYPE, library=LIBRARY)
    assert every_type.framework == "small"


def test_items_keep_their_order_and_grids_their_rows(every_type: Questionnaire) -> None:
    assert [item.name for item in every_type.items] == [
        "hello",
        "reason",
        "courtesy_felt",
        "wait_long",
        "wait_seat",
        "topics",
        "minutes",
        "word",
        "recommend",
        "comment",
    ]
    assert isinstance(every_type.sections[0].blocks[3], Grid)


def test_the_words_yes_no_on_off_stay_words() -> None:
    questionnaire = loaded("""
        - item: on
          type: single_choice
          label: no
          options:
            - {option: yes, label: yes}
            - {option: no, label: 012}
            - {option: off, label: 1e3}
            - {option: null, label: ~}
    """)
    item = questionnaire.items[0]
    assert (item.name, item.label) == ("on", "no")
    assert [(option.code, option.label) for option in item.options] == [
        ("yes", "yes"),
        ("no", "012"),
        ("off", "1e3"),
        ("null", "~"),
    ]


def test_texts_are_normalised_and_stripped() -> None:
    questionnaire = loaded('- {note: n, label: "  e\\u0301te\\u0301\\n"}')
    assert questionnaire.items[0].label == "été"


def test_a_scale_brings_its_options_and_its_rate(every_type: Questionnaire) -> None:
    item = every_type.items_by_name["courtesy_felt"]
    assert [option.face for option in item.options] == [5, 4, 2, 1, None]
    assert item.rate == RateRule(favourable=("very_good", "good"))


def test_a_rule_of_the_item_goes_before_the_rule_of_the_scale(every_type: Questionnaire) -> None:
    item = every_type.items_by_name["wait_long"]
    assert item.rate == RateRule(favourable=("no",), polarity="negative")


def test_what_a_type_leaves_unsaid_is_written_into_the_item(every_type: Questionnaire) -> None:
    assert every_type.items_by_name["comment"].maximum_length == 2000
    recommend = every_type.items_by_name["recommend"]
    assert (recommend.minimum, recommend.maximum) == (0, 10)


def test_commitments_are_those_measured_in_the_order_of_the_framework(every_type: Questionnaire) -> None:
    assert [(found.code, found.rule, found.number) for found in every_type.commitments] == [
        ("courtesy", "pooled", "1.1"),
        ("waiting", "every_item", None),
    ]
    assert every_type.commitments[0].module == "Module 1 – Relation avec les usagers"


def test_a_row_is_asked_where_both_the_row_and_its_grid_are() -> None:
    questionnaire = loaded("""
        - {item: a, type: number, label: Combien ?}
        - grid: g
          label: Une grille
          scale: faces_4
          requirement: required
          sites: [hall]
          relevant_if: {answered: a}
          rows:
            - {item: b, label: Une ligne, relevant_if: {not: {answered: a}}, sites: [hall, remote]}
            - {item: c, label: Une autre, requirement: optional}
    """)
    b, c = questionnaire.items_by_name["b"], questionnaire.items_by_name["c"]
    assert b.relevant_if == {"all": [{"answered": "a"}, {"not": {"answered": "a"}}]}
    assert (b.sites, b.requirement, b.question_type) == (("hall",), "required", "satisfaction")
    assert (c.relevant_if, c.requirement) == ({"answered": "a"}, "optional")


def test_a_grid_without_faces_is_a_grid_of_single_choices(every_type: Questionnaire) -> None:
    assert every_type.items_by_name["wait_seat"].question_type == "single_choice"


def test_a_warning_does_not_keep_a_questionnaire_from_loading() -> None:
    checked = check_source(SOURCE.replace("        commitment: courtesy\n", "", 1), library=LIBRARY)
    assert checked.questionnaire is not None
    assert [fault.code for fault in checked.faults] == ["commitment_not_measured"]


def test_the_organisation_is_read() -> None:
    organisation = load_organisation(FIXTURES)
    assert organisation.site_name("hall") == "Hall"
    assert organisation.site_name("closed_site") == "closed_site"
    assert organisation.reviewers == {"en": "Une lectrice", "ar": None}
    assert "Vos droits" in set(organisation.public_texts())


def test_the_framework_is_read() -> None:
    module, commitment = load_framework("small", FIXTURES).commitments["waiting"]
    assert (module.number, commitment.number, commitment.to_check) == (1, None, True)
    with pytest.raises(DefinitionError, match="file_missing"):
        load_framework("absent", FIXTURES)


def test_a_local_scale_can_be_faulty_at_its_place() -> None:
    options = "[{option: one, label: Un}, {option: two, label: Deux}]"
    head = f"{HEAD}scales: {{mine: {{favourable: [tow], options: {options}}}}}\n"
    faults = check_questions("- {note: n, label: Bonjour}", head=head).faults
    assert [(fault.code, fault.line, fault.column, fault.suggestion) for fault in faults] == [
        ("rate_unknown_option", 7, 30, "two")
    ]


# What no source may do


@pytest.mark.abuse("79")
@pytest.mark.parametrize(
    "source",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
        "[" * 5000,
        "{" * 5000,
        "{a: " * 5000,
        "- " * 5000 + "x",
        "? " * 3000,
        "!!python/object/apply:os.system [ls]",
        "%TAG ! tag:x,2002:\n--- !y z",
        "a: " + "x" * 300_000,
        "- a\n" * 60_000,
        "".join(f"key_{number}_" + "x" * 40 + ": 1\n" for number in range(5000)),
        "sections: [" + "{section: a, titel: b}, " * 5000 + "]",
        "\x00",
        "a: \u2028b\u2029\x85",
        "<<: {a: b}",
        "a: '\n" * 3000,
        "#" * 262_000,
        "",
    ],
    ids=range(18),
)
def test_a_hostile_source_is_refused_quickly(source: str) -> None:
    started = time.perf_counter()
    checked = check_source(source, library=LIBRARY)
    assert time.perf_counter() - started < 2
    assert checked.questionnaire is None
    assert 0 < len(checked.faults) <= FAULT_LIMIT + 1


DICTIONARY = sorted(
    {word for word in SOURCE.replace("{", " ").replace("}", " ").split()}
    | {
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        "\n",
        "  ",
        "- ",
        "&a",
        "*a",
        "!!str",
        "|",
        ">",
        '"',
        "'",
        "#",
        "\t",
        "---",
        "\x00",
    }
)


@given(st.lists(st.sampled_from(DICTIONARY), max_size=60).map(" ".join))
@settings(max_examples=300, deadline=None)
def test_random_words_of_the_language_raise_nothing(text: str) -> None:
    checked = check_source(text, library=LIBRARY)
    assert checked.questionnaire is not None or checked.faults


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_text_raises_nothing(text: str) -> None:
    checked = check_source(text, library=LIBRARY)
    assert checked.questionnaire is None
    assert checked.faults


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The source of a whole questionnaire with some places deleted, doubled or replaced."""
    text = SOURCE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text) - 1))
        length = draw(st.integers(0, 30))
        insert = draw(st.one_of(st.sampled_from(DICTIONARY), st.text(string.printable, max_size=5)))
        kept = text[start : start + length] if draw(st.booleans()) else ""
        text = text[:start] + kept + insert + text[start + length :]
    return text


@given(mutated())
@settings(max_examples=400, deadline=None)
def test_a_mutated_questionnaire_is_read_whole_or_refused_with_reasons(text: str) -> None:
    checked = check_source(text, library=LIBRARY)
    if checked.questionnaire is None:
        assert any(fault.severity == "error" for fault in checked.faults)
    else:
        assert from_canonical(canonical_json(checked.questionnaire)) == checked.questionnaire
    lines = len(YAML_BREAK.split(text)) + 1
    assert all(1 <= fault.line <= lines and fault.column >= 1 for fault in checked.faults)


NODES = st.recursive(
    st.sampled_from(["a", "item", "type", "label", "number", "yes", "", "12", "true", "null"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["item", "type", "options", "label", "relevant_if", "is", "all", "not"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_value_at_any_key_is_read_or_refused(data: st.DataObject) -> None:
    document = yaml.load(SOURCE, Loader=yaml.CBaseLoader)
    spot = document
    while isinstance(spot, dict | list) and spot:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(spot[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            spot[key] = data.draw(NODES)
            break
        spot = spot[key]
    checked = check_source(yaml.safe_dump(document, allow_unicode=True), library=LIBRARY)
    assert checked.questionnaire is not None or checked.faults


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            ['msgid "', 'msgstr "', '"', "\n", "#, fuzzy\n", "msgctxt", "[0]", "\\", "a", "Plural-Forms: x"]
        )
    ).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_a_random_translation_file_is_read_or_refused(text: str) -> None:
    catalogue = parse_catalogue(text, "en", "en.po")
    assert isinstance(catalogue, Catalogue) or catalogue.code in ("po_syntax", "too_big")


def test_published_bytes_give_the_questionnaire_back(every_type: Questionnaire) -> None:
    stored = canonical_json(every_type)
    assert from_canonical(stored) == every_type
    assert questionnaire_digest(from_canonical(stored)) == questionnaire_digest(every_type)
