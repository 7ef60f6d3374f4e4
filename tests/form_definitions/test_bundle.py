"""Canonical JSON and digests: one content, one name; two contents, two names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from form_definitions import (
    DefinitionError,
    Questionnaire,
    bundle_digest,
    canonical_json,
    check_source,
    from_canonical,
    load_questionnaire,
    questionnaire_digest,
)
from form_definitions.bundle import canonical_bytes, texts_of
from tests.form_definitions.definitions import FIXTURES, library

DIGESTS = json.loads((Path(__file__).parents[1] / "conformance" / "digests.json").read_text(encoding="utf-8"))
PATH = FIXTURES / "questionnaires" / "every_type.yaml"


@pytest.fixture(scope="module")
def every_type() -> Questionnaire:
    return load_questionnaire(PATH, library=library())


@pytest.mark.parametrize("case", DIGESTS["canonical"], ids=lambda case: case["name"])
def test_canonical_json_is_rfc_8785(case: dict[str, Any]) -> None:
    assert canonical_bytes(case["value"]).decode() == case["text"]
    assert json.loads(case["text"]) == case["value"]


@pytest.mark.parametrize(
    "value",
    [1.5, {"a": 0.0}, [float("nan")], "e\u0301", {"a": "e\u0301"}, "\ud800", frozenset()],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_bytes(value)


@pytest.mark.parametrize("case", DIGESTS["questionnaires"], ids=lambda case: case["name"])
def test_a_published_questionnaire_keeps_its_digest(case: dict[str, str]) -> None:
    questionnaire = load_questionnaire(FIXTURES / "questionnaires" / f"{case['name']}.yaml")
    assert canonical_json(questionnaire).decode() == case["canonical"]
    assert questionnaire_digest(questionnaire) == case["digest"]
    assert questionnaire_digest(from_canonical(case["canonical"].encode())) == case["digest"]
    assert hashlib.sha256(case["canonical"].encode()).hexdigest() == case["digest"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("Pourquoi ?", "Pourquoi donc ?"),
        ("option: permit, label: Un titre", "option: permit, label: Deux titres"),
        ("minimum: 0", "minimum: 1"),
        ("{not: {is: [reason, other]}}", "{is: [reason, other]}"),
        ("favourable: [no], polarity: negative", "favourable: [yes], polarity: negative"),
        ("waiting: every_item", "waiting: pooled"),
        ("partial_policy: discard", "partial_policy: keep"),
        ("requirement: required", "requirement: advised"),
        ("[website, paper]", "[website]"),
        ("{option: forms, label: Formulaires}", "{option: papers, label: Formulaires}"),
    ],
)
def test_another_content_has_another_digest(old: str, new: str) -> None:
    folder = library()
    source = PATH.read_text(encoding="utf-8").replace("\u202f", " ")
    assert old in source
    same = check_source(source, library=folder).questionnaire
    other = check_source(source.replace(old, new, 1), library=folder).questionnaire
    assert same
    assert other
    assert questionnaire_digest(same) != questionnaire_digest(other)


def test_comments_and_layout_change_nothing(every_type: Questionnaire, tmp_path: Path) -> None:
    path = tmp_path / "reflowed.yaml"
    source = PATH.read_text(encoding="utf-8")
    path.write_text("# Un commentaire.\n" + source.replace("title: Un de chaque", 'title:   "Un de chaque"'))
    assert load_questionnaire(path, library=library()) == every_type


@pytest.mark.parametrize("change", [b" ", b"\n"])
def test_altered_bytes_are_not_a_published_questionnaire(every_type: Questionnaire, change: bytes) -> None:
    with pytest.raises(DefinitionError, match="not_canonical"):
        from_canonical(canonical_json(every_type) + change)


def test_a_written_default_is_not_the_canonical_form(every_type: Questionnaire) -> None:
    altered = canonical_json(every_type).replace(b'"slug":', b'"audience":"users","slug":')
    with pytest.raises(DefinitionError, match="not_canonical"):
        from_canonical(altered)


def test_a_corrected_translation_changes_the_bundle_and_not_the_questionnaire(
    every_type: Questionnaire,
) -> None:
    digests = {bundle_digest(every_type, {"en": {text: "x"}}) for text in set(texts_of(every_type))}
    assert len(digests) == len(set(texts_of(every_type)))
    title = every_type.title
    first, second = ({"en": {title: translated}} for translated in ("One of each", "One of every kind"))
    assert bundle_digest(every_type, first) != bundle_digest(every_type, second)


def test_a_translation_of_something_else_changes_nothing(every_type: Questionnaire) -> None:
    assert bundle_digest(every_type, {"en": {}}) == bundle_digest(
        every_type, {"en": {"Ailleurs": "Elsewhere"}}
    )


def test_an_asset_changes_the_bundle(every_type: Questionnaire) -> None:
    digests = {
        bundle_digest(every_type, {}),
        bundle_digest(every_type, {}, {"page.html": b"<p>"}),
        bundle_digest(every_type, {}, {"page.html": b"<p></p>"}),
        bundle_digest(every_type, {}, {"other.html": b"<p>"}),
    }
    assert len(digests) == 4


def test_the_order_of_assets_and_translations_is_of_no_account(every_type: Questionnaire) -> None:
    one, two = list(dict.fromkeys(texts_of(every_type)))[:2]
    forth = bundle_digest(every_type, {"en": {one: "1", two: "2"}, "ar": {}}, {"a": b"1", "b": b"2"})
    back = bundle_digest(every_type, {"ar": {}, "en": {two: "2", one: "1"}}, {"b": b"2", "a": b"1"})
    assert forth == back
