"""Texts in other languages: what is shown, and what is missing, stale or to be read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from form_definitions import (
    LANGUAGES,
    DefinitionError,
    check_files,
    load_questionnaire,
    load_translations,
    localise,
    texts_of,
    translation_faults,
)
from form_definitions.translations import Catalogue, Localised, catalogue_faults, parse_catalogue
from tests.form_definitions.definitions import FIXTURES

PO = """\
msgid ""
msgstr "Language: en\\n"

msgid "Pourquoi ?"
msgstr "Why?"

msgid "Autre"
msgstr ""

#, fuzzy
msgid "La politesse"
msgstr "Politeness"
"""


def parsed(text: str) -> Catalogue:
    catalogue = parse_catalogue(text, "en", "en.po")
    assert isinstance(catalogue, Catalogue), catalogue
    return catalogue


def test_a_translated_text_is_shown_in_its_language() -> None:
    translations = {"en": parsed(PO).messages}
    assert localise("Pourquoi ?", "en", translations) == Localised("Why?", "en")


@pytest.mark.parametrize("text", ["Autre", "La politesse", "Un texte nouveau"])
def test_a_missing_empty_or_fuzzy_text_is_shown_in_french_and_marked_so(text: str) -> None:
    assert localise(text, "en", {"en": parsed(PO).messages}) == Localised(text, "fr")
    assert localise(text, "ar", {}) == Localised(text, "fr")


def test_french_is_the_source_even_when_somebody_translates_it() -> None:
    assert localise("Autre", "fr", {"fr": {"Autre": "Divers"}}) == Localised("Autre", "fr")


def test_missing_stale_and_fuzzy_are_told_with_their_lines() -> None:
    faults = catalogue_faults(parsed(PO), ["Autre", "La politesse", "Pourquoi donc ?"])
    assert [(fault.code, fault.line, fault.suggestion) for fault in faults] == [
        ("translation_missing", 7, None),
        ("translation_missing", 1, "Pourquoi ?"),
        ("translation_stale", 4, None),
        ("translation_fuzzy", 11, None),
    ]
    assert {fault.severity for fault in faults} == {"warning"}


def test_every_text_of_a_questionnaire_is_missing_without_translations() -> None:
    questionnaire = load_questionnaire(FIXTURES / "questionnaires" / "every_type.yaml")
    faults = translation_faults(questionnaire, {})
    assert len(faults) == 2 * len(set(texts_of(questionnaire)))
    complete = {code: dict.fromkeys(texts_of(questionnaire), "x") for code in LANGUAGES}
    assert translation_faults(questionnaire, complete) == ()


def test_the_keys_are_normalised_like_the_texts_of_the_yaml() -> None:
    assert parsed('msgid " e\u0301te\u0301 "\nmsgstr "summer"\n').messages == {"été": "summer"}


def test_a_folder_without_translations_has_empty_ones(tmp_path: Path) -> None:
    assert load_translations(tmp_path) == {"en": {}, "ar": {}}


def test_an_unreadable_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "translations").mkdir()
    (tmp_path / "translations" / "en.po").write_text('msgid "a"\nmsgstr "b"\nnothing\n', encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"en\.po:\d+:1: .*po_syntax"):
        load_translations(tmp_path)


def test_a_whole_folder_is_checked_with_its_translations(tmp_path: Path) -> None:
    for source in FIXTURES.rglob("*.yaml"):
        target = tmp_path / source.relative_to(FIXTURES)
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "translations").mkdir()
    (tmp_path / "translations" / "en.po").write_text('msgid "Disparu"\nmsgstr "Gone"\n', encoding="utf-8")
    codes = [fault.code for fault in check_files(folder=tmp_path)]
    assert codes.count("translation_stale") == 1
    assert codes.count("translation_missing") > 20
    assert codes.count("to_fill") == 1
    assert [fault.code for fault in check_files([tmp_path / "scales.yaml"])] == []
