"""Each fault code fires at its place, with a message and a remedy an author can act on."""

# ruff: noqa: E501 - drawn sources

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from form_definitions import DefinitionError, Fault, check_files, from_canonical, load_questionnaire
from form_definitions.errors import FAULTS
from form_definitions.frameworks import read_framework
from form_definitions.library import read_scales, read_source
from form_definitions.loader import check_source
from form_definitions.organisation import read_organisation
from form_definitions.translations import Catalogue, catalogue_faults, parse_catalogue
from tests.form_definitions.definitions import FIXTURES, HEAD, check_questions, library, loaded
from tests.form_definitions.fault_cases import FAULT_CASES, WHOLE, Case

MARK = "⟦"
ELSEWHERE = {
    "file_missing",
    "file_kind_unknown",
    "not_utf8",
    "not_canonical",
    "item_name_reused",
    "option_code_reused",
    "po_language",
}
"""Proven by tests of their own below: they need a file, a name or an earlier version."""


def faults_of(case: Case) -> tuple[str, tuple[Fault, ...]]:
    """The source without its mark as the loader saw it, and the faults."""
    if case.kind == "questions":
        head = f"{HEAD}sections:\n  - section: only\n    title: Une rubrique\n    questions:\n"
        body = "".join(f"      {line}\n" for line in case.source.splitlines())
        return head + body, check_questions(case.source.replace(MARK, "")).faults
    text = case.source.replace(MARK, "")
    if case.kind == "questionnaire":
        return case.source, check_source(text, library=library()).faults
    if case.kind == "po":
        return case.source, translation_faults_of(text)
    read = {"scales": read_scales, "organisation": read_organisation, "framework": read_framework}[case.kind]
    return case.source, read_source(text, "source.yaml", read)[1]


def translation_faults_of(text: str) -> tuple[Fault, ...]:
    catalogue = parse_catalogue(text, "en", "en.po")
    if not isinstance(catalogue, Catalogue):
        return (catalogue,)
    known = ["Autre"]
    return tuple(catalogue_faults(catalogue, ["Bonjour"], known))


@pytest.mark.parametrize("code", FAULT_CASES)
def test_a_fault_fires_once_at_its_place(code: str) -> None:
    marked, faults = faults_of(FAULT_CASES[code])
    before = marked[: marked.index(MARK)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = [fault for fault in faults if fault.code == code]
    assert len(found) == 1, [str(fault) for fault in faults]
    assert (found[0].line, found[0].column if code != "po_syntax" else column) == (line, column)
    assert found[0].suggestion == FAULT_CASES[code].suggestion
    assert found[0].severity == FAULTS[code].severity


@pytest.mark.parametrize("code", sorted(FAULT_CASES.keys() - {"too_many_faults"}))
def test_one_mistake_tells_one_fault(code: str) -> None:
    _, faults = faults_of(FAULT_CASES[code])
    assert {fault.code for fault in faults} <= {code, "missing_key"}, [str(fault) for fault in faults]


def test_every_fault_has_its_case() -> None:
    assert set(FAULTS) == FAULT_CASES.keys() | ELSEWHERE
    assert not FAULT_CASES.keys() & ELSEWHERE


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"absent\.yaml:1:1: .*file_missing"):
        load_questionnaire(tmp_path / "absent.yaml")


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("title: Préfecture\n".encode("latin-1"))
    assert [(fault.code, fault.line) for fault in check_files([path])] == [("not_utf8", 1)]


def test_a_text_with_a_lone_surrogate_is_refused() -> None:
    assert [fault.code for fault in check_source("title: \ud800", library=library()).faults] == ["not_utf8"]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "marked.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.encode())
    assert load_questionnaire(path, library=library()).slug == "essai"


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "questionnaire.txt"
    path.write_text("", encoding="utf-8")
    assert [fault.code for fault in check_files([path])] == ["file_kind_unknown"]


def test_a_translation_file_is_named_after_its_language(tmp_path: Path) -> None:
    path = tmp_path / "anglais.po"
    path.write_text("", encoding="utf-8")
    assert [fault.code for fault in check_files([path])] == ["po_language"]


@pytest.mark.parametrize(
    "stored",
    [b"{}", b"nothing", b"\xff", b'{"slug": "a"}'],
)
def test_what_is_not_a_published_questionnaire_is_refused(stored: bytes) -> None:
    with pytest.raises(DefinitionError, match="not_canonical"):
        from_canonical(stored)


BEFORE = """\
- {item: a, type: single_choice, label: Quelle démarche faites-vous ?, options: [{option: one, label: Un titre de séjour}, {option: two, label: Un passeport}]}
"""


@pytest.mark.parametrize(
    "changed, to, code",
    [
        ("Quelle démarche faites-vous ?", "Quel âge avez-vous ?", "item_name_reused"),
        ("Un passeport", "Une carte grise", "option_code_reused"),
        ("label: Un passeport", "label: Un passeport, role: no_opinion", "option_code_reused"),
        ("single_choice", "multiple_choice", "item_name_reused"),
    ],
)
def test_a_code_keeps_its_meaning(changed: str, to: str, code: str) -> None:
    published = [loaded(BEFORE)]
    head = f"{HEAD}sections:\n  - section: s\n    title: Une rubrique\n    questions:\n"
    text = f"{head}      {BEFORE.replace(changed, to)}"
    faults = check_source(text, library=library(), published=published).faults
    assert [(fault.code, fault.line) for fault in faults] == [(code, 11)]


def test_a_reused_code_is_told_where_it_stands_not_where_its_question_begins() -> None:
    questions = """\
- item: a
  type: single_choice
  label: Quelle démarche faites-vous ?
  options:
    - {option: one, label: Un titre de séjour}
    - {label: Un passeport, option: two}
"""
    head = f"{HEAD}sections:\n  - section: s\n    title: Une rubrique\n    questions:\n"
    text = head + indent(questions.replace("Un passeport", "Une carte grise"), " " * 6)
    (fault,) = check_source(text, library=library(), published=[loaded(questions)]).faults
    line = text.splitlines()[fault.line - 1]
    assert (fault.code, line[fault.column - 1 :]) == ("option_code_reused", "two}")


def test_a_code_keeps_the_meaning_of_any_earlier_version() -> None:
    without = loaded("- {note: n, label: Bonjour}")
    head = f"{HEAD}sections:\n  - section: s\n    title: Une rubrique\n    questions:\n"
    text = head + "      " + BEFORE.replace("Un passeport", "Une carte grise")
    faults = check_source(text, library=library(), published=[without, loaded(BEFORE)]).faults
    assert [fault.code for fault in faults] == ["option_code_reused"]


def test_a_rewording_is_no_new_meaning() -> None:
    head = f"{HEAD}sections:\n  - section: s\n    title: Une rubrique\n    questions:\n"
    text = head + "      " + BEFORE.replace("Quelle démarche faites-vous", "Quelle est votre démarche")
    assert check_source(text, library=library(), published=[loaded(BEFORE)]).faults == ()


def test_all_faults_are_told_at_once_in_reading_order() -> None:
    faults = check_questions("""
        - {item: a, type: numbr, label: Combien ?}
        - {item: a, type: number, label: Combien ?, minimum: 9, maximum: 3}
        - {note: n, label: Bonjour, relevant_if: {is: [b, one]}}
    """).faults
    assert [(fault.line, fault.code) for fault in faults] == [
        (11, "unknown_type"),
        (12, "duplicate_name"),
        (12, "bounds_upside_down"),
        (13, "condition_unknown_item"),
    ]


def test_a_question_of_an_unknown_type_tells_its_other_faults_too() -> None:
    source = (
        "- {item: a, type: satisfactoin, scale: opinon, label: Votre avis, commitment: welcom}\n"
        "- {item: b, type: choice, label: Et ici, commitment: welcom, rate: {favourable: [twoo]},\n"
        "   options: [{option: one, label: Un}, {option: one, label: Deux}]}\n"
        "- {item: c, label: Combien, minimum: 3, maximum: 1, relevant_if: {is: [b, thre]}}\n"
    )
    assert [(fault.line, fault.code) for fault in check_questions(source).faults] == [
        (11, "unknown_type"),
        (11, "unknown_scale"),
        (11, "unknown_commitment"),
        (12, "unknown_type"),
        (12, "unknown_commitment"),
        (12, "rate_unknown_option"),
        (13, "duplicate_option"),
        (14, "missing_key"),
        (14, "bounds_upside_down"),
        (14, "unknown_option"),
    ]


def test_a_fault_reads_as_file_line_column() -> None:
    (fault,) = check_questions("- {item: n, type: numbr, label: Combien ?}").faults
    assert str(fault).startswith("essai.yaml:11:25: erreur [unknown_type]\u00a0: ")
    assert str(fault).endswith("Vouliez-vous dire «\u202fnumber\u202f»\u202f?")


FRENCH = [text for kind in FAULTS.values() for text in (kind.message, kind.remedy)]


@pytest.mark.parametrize("text", FRENCH)
def test_messages_are_in_correct_french_typography(text: str) -> None:
    quoted = re.sub(r"«.*?»", "", text)
    assert "'" not in quoted
    assert not re.search(r"[^\u202f][;!?»]|«[^\u202f]", re.sub(r"\(!\)", "", text)), text
    assert not re.search(r"(?<![a-z\u00a0{])(?<!\w): ", quoted), text
    assert text.endswith((".", "}"))


@pytest.mark.parametrize("reader", ["scales", "organisation", "framework"])
def test_the_other_files_tell_their_faults_too(reader: str) -> None:
    sources = {
        "scales": "faces: {options: [{option: a, label: Un, exclusive: true}, {option: a, label: Deux}]}",
        "organisation": "name: X\nsites: [{site: a, kind: desk, name: A, public_label: A}, {site: a, kind: kiosk}]",
        "framework": "framework: f\nmodules: [{module: m, number: 1, title: T, commitments: [{commitment: c}]}]",
    }
    expected = {
        "scales": {"exclusive_needs_multiple", "duplicate_option"},
        "organisation": {"missing_key", "unknown_word", "duplicate_name"},
        "framework": {"missing_key"},
    }
    case = Case(reader, MARK + sources[reader])  # type: ignore[arg-type]
    assert {fault.code for fault in faults_of(case)[1]} == expected[reader]


def test_a_broken_library_keeps_questionnaires_from_loading(tmp_path: Path) -> None:
    for name in ("organisation.yaml", "scales.yaml"):
        (tmp_path / name).write_text((FIXTURES / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "scales.yaml").write_text("faces_4: nothing", encoding="utf-8")
    (tmp_path / "q.yaml").write_text(WHOLE.replace("framework: small", "framework: none"), encoding="utf-8")
    codes = {(Path(fault.file).name, fault.code) for fault in check_files([tmp_path / "q.yaml"])}
    assert codes == {("scales.yaml", "not_a_map"), ("q.yaml", "unknown_framework")}


def test_two_names_that_are_no_names_are_not_the_same_name() -> None:
    option = "{option: Un Deux, label: Un}"
    faults = check_questions(f"""
        - {{note: Une Note, label: Bonjour}}
        - {{note: Une Note, label: Bonsoir}}
        - {{item: a, type: single_choice, label: Quoi ?, options: [{option}, {option}]}}
    """).faults
    assert [fault.code for fault in faults] == ["not_a_name"] * 4


def test_a_tabulation_is_called_by_its_name() -> None:
    faults = check_source("questionnaire: a\n\ttitle: b\n").faults
    assert [(fault.line, fault.code) for fault in faults] == [(2, "yaml_syntax")]
    assert "tabulation" in faults[0].message
