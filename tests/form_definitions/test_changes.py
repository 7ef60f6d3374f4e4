"""What a new version changes, in French sentences, and which series it breaks."""

# ruff: noqa: E501 - one change per line

from __future__ import annotations

import re

import pytest

from form_definitions import Questionnaire, check_source, explain_changes
from form_definitions.language import LIMITS
from tests.form_definitions.definitions import FIXTURES, library

SOURCE = (FIXTURES / "questionnaires" / "every_type.yaml").read_text(encoding="utf-8")
LIBRARY = library()


def version(*replacements: tuple[str, str]) -> Questionnaire:
    text = SOURCE
    for old, new in replacements:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    checked = check_source(text, library=LIBRARY)
    assert checked.questionnaire, [str(fault) for fault in checked.faults]
    return checked.questionnaire


OLD = version()


def test_nothing_changed_nothing_said() -> None:
    assert explain_changes(OLD, version()) == ()


@pytest.mark.parametrize(
    "old, new, words, broken",
    [
        ("title: Un de chaque", "title: Deux de chaque", "Le titre change", set()),
        ("description: Pour l’essai.", "description: Pour rire.", "La présentation change", set()),
        ("estimated_minutes: 2", "estimated_minutes: 3", "passe de 2 à 3", set()),
        ("partial_policy: discard", "partial_policy: keep", "commencés", set()),
        ("title: L’accueil", "title: Accueil", "rubrique", set()),
        ("label: La politesse", "label: La courtoisie", "reformulée", {"courtesy_felt", "courtesy"}),
        ("label: La politesse", "label: la politesse !", "reformulée", set()),
        ("requirement: required", "requirement: optional", "obligatoire", set()),
        ("label: Un titre", "label: Un visa", "devient", {"reason"}),
        ("label: Un titre", "label: Un TITRE", "devient", set()),
        (", specify: Précisez", "", "change", set()),
        ("{option: forms, label: Formulaires}", "{option: papers, label: Papiers}", "disparaît", {"topics"}),
        ("maximum: 300", "maximum: 200", "bornes", {"minutes"}),
        ("unit: minutes", "unit: heures", "unité", {"minutes"}),
        ("maximum_length: 20", "maximum_length: 30", "longueur", set()),
        ("favourable: [no], polarity", "favourable: [yes], polarity", "taux", {"wait_long", "waiting"}),
        ("waiting: every_item", "waiting: pooled", "règle passe", {"waiting"}),
        ("sites: [hall, remote]", "sites: [hall]", "mêmes personnes", {"topics", "minutes", "recommend"}),
        ("{not: {is: [reason, other]}}", "{answered: reason}", "mêmes personnes", {"wait_long", "wait_seat", "waiting"}),
        ("type: short_text, label: Un mot, maximum_length: 20", "type: long_text, label: Un mot, maximum_length: 20", "change de type", set()),
        ("{item: minutes, type: number, label: Durée", "{item: duration, type: number, label: Durée", "disparaît", {"minutes"}),
        ("        commitment: courtesy\n", "        commitment: waiting\n", "mesurait", {"courtesy", "waiting"}),
        ("modes: [tablet, website, paper]", "modes: [tablet, website, paper, personal_link]", "modes", set()),
        ("      - {note: hello, label: Bonjour, help: Et merci.}\n", "", "disparaît", set()),
    ],
)  # fmt: skip
def test_a_change_is_told_with_the_series_it_breaks(old: str, new: str, words: str, broken: set[str]) -> None:
    changes = explain_changes(OLD, version((old, new)))
    assert any(words in change.sentence for change in changes), changes
    assert {name for change in changes for name in change.breaks_series} == broken
    for change in changes:
        assert change.sentence.endswith(".")
        ours = re.sub(r"«\u202f.*?\u202f»", "«\u202f…\u202f»", change.sentence)
        assert not re.search(r"[^\u202f][;!?»]|«[^\u202f]|[^\u00a0]:", ours), change.sentence


@pytest.mark.parametrize("key", [*LIMITS, "unit"])
def test_a_change_of_any_key_of_a_type_is_told(key: str) -> None:
    item = OLD.items_by_name["minutes"]
    one, other = (
        OLD.model_copy(
            update={
                "sections": (
                    OLD.sections[0].model_copy(update={"blocks": (item.model_copy(update={key: value}),)}),
                )
            }
        )
        for value in (None, "another")
    )
    assert len(explain_changes(one, other)) == 1, f"changes.py does not look at « {key} »"


def test_a_new_item_breaks_the_series_of_its_commitment_only() -> None:
    added = "{item: word, type: short_text, label: Un mot, maximum_length: 20}"
    new = f"{added}\n      - {{item: calm, type: satisfaction, scale: faces_4, label: Le calme, commitment: courtesy}}"
    (change,) = explain_changes(OLD, version((added, new)))
    assert change.breaks_series == ("courtesy",)


def test_the_order_of_questions_is_told() -> None:
    first = "      - {item: minutes, type: number, label: Durée, minimum: 0, maximum: 300, unit: minutes}\n"
    last = "      - {item: comment, type: long_text, label: Une suggestion}\n"
    (change,) = explain_changes(OLD, version((first, ""), (last, last + first)))
    assert "ordre" in change.sentence


def test_the_order_of_options_is_told_and_breaks_the_series() -> None:
    one, two = "{option: yes, label: Oui}", "{option: no, label: Non}"
    changes = explain_changes(OLD, version((one, "@"), (two, one), ("@", two)))
    assert {name for change in changes for name in change.breaks_series} == {
        "wait_long",
        "wait_seat",
        "waiting",
    }
    assert all("l’ordre des modalités" in change.sentence for change in changes)


def test_back_and_forth_tell_as_many_changes() -> None:
    new = version(("maximum: 300", "maximum: 200"), ("waiting: every_item", "waiting: pooled"))
    assert len(explain_changes(OLD, new)) == len(explain_changes(new, OLD)) == 2
