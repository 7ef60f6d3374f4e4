"""The contents that are shipped: questionnaires, framework, organisation, translations."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

import form_definitions
from form_definitions import (
    QUESTION_TYPES,
    Questionnaire,
    RoutingContext,
    load_organisation,
    load_questionnaire,
    load_translations,
    relevant_items,
    texts_of,
    translation_faults,
)
from form_definitions.model import CollectionMode, Grid, Item
from survey_app.settings import RetentionTerms

FOLDER = Path(form_definitions.__file__).parent
QUESTIONNAIRES = ("users", "elected_officials", "emergency_alert")
CONTENT_FILES = sorted(
    [*FOLDER.glob("*.yaml"), *FOLDER.glob("frameworks/*.yaml"), *FOLDER.glob("questionnaires/*.yaml")]
)
LONGEST_SENTENCE = 19
NARROW, NO_BREAK = "\u202f", "\u00a0"


@lru_cache
def shipped(name: str) -> Questionnaire:
    return load_questionnaire(FOLDER / "questionnaires" / f"{name}.yaml")


def source_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def strings(node: Any) -> Iterator[str]:
    """Every text of a YAML document, keys left out."""
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def french_texts(path: Path) -> list[str]:
    """What somebody reads: not the codes, not the addresses."""
    return [text for text in strings(source_of(path)) if not re.fullmatch(r"[a-z0-9_.:/-]+", text)]


def public_texts() -> list[str]:
    """What a visitor reads: the questionnaires, the sites and the notice."""
    asked = [text for name in QUESTIONNAIRES for text in texts_of(shipped(name))]
    return [*asked, *load_organisation().public_texts()]


@pytest.mark.parametrize("name", QUESTIONNAIRES)
def test_a_shipped_questionnaire_has_no_fault(name: str) -> None:
    path = FOLDER / "questionnaires" / f"{name}.yaml"
    checked = form_definitions.check_source(path.read_text(encoding="utf-8"), name=path.name)
    assert [str(fault) for fault in checked.faults] == []


@pytest.mark.parametrize("name", QUESTIONNAIRES)
def test_no_translation_is_missing_or_stale(name: str) -> None:
    assert [str(fault) for fault in translation_faults(shipped(name), load_translations())] == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_sites_and_the_notice_are_translated(language: str) -> None:
    known = load_translations()[language]
    assert [text for text in load_organisation().public_texts() if not known.get(text)] == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_translation_still_has_its_french_text(language: str) -> None:
    asked = {text for name in QUESTIONNAIRES for text in texts_of(shipped(name))}
    current = asked | set(load_organisation().public_texts())
    assert [text for text in load_translations()[language] if text not in current] == []


def test_arabic_is_written_in_arabic_and_differs_from_french() -> None:
    for french, arabic in load_translations()["ar"].items():
        assert re.search(r"[\u0621-\u064a]", arabic), french
        assert "?" not in arabic, f"Latin question mark: {arabic}"
        assert "," not in arabic, f"Latin comma: {arabic}"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_translation_keeps_the_figures_and_the_question_marks(language: str) -> None:
    mark = {"en": "?", "ar": "؟"}[language]
    for french, text in load_translations()[language].items():
        assert figures(french) == figures(text), f"{french} / {text}"
        assert french.count("?") == text.count(mark), f"{french} / {text}"


def figures(text: str) -> list[str]:
    """The numbers of a text without their thousands separators."""
    return re.findall(r"\d+", re.sub(rf"(?<=\d)[{NARROW},](?=\d{{3}})", "", text))


@pytest.mark.parametrize("path", CONTENT_FILES, ids=lambda path: path.name)
def test_french_is_set_as_a_printer_would_set_it(path: Path) -> None:
    faults = [(rule, text) for text in french_texts(path) for rule in typographic_faults(text)]
    assert faults == []


def typographic_faults(text: str) -> list[str]:
    """The names of the rules of French typography that a text breaks."""
    text = re.sub(r"https?://\S+", "", text)
    rules = {
        "straight quote": r"['\"]",
        "narrow space before ; ! ? %": rf"(?<!{NARROW})[;!?%]",
        "narrow space inside guillemets": rf"«(?!{NARROW})|(?<!{NARROW})»",
        "no-break space before a colon": rf"(?<!{NO_BREAK}):",
        "ellipsis in one character": r"\.\.\.",
        "double space": r"  ",
    }
    return [rule for rule, pattern in rules.items() if re.search(pattern, text)]


@pytest.mark.parametrize(
    "wrong", ["Qu'est-ce ?", "Quoi?", "« Oui »", "Ceci : cela", "Attendez...", "75 %", "l’un  l’autre"]
)
def test_the_typographic_rules_do_find_faults(wrong: str) -> None:
    assert typographic_faults(wrong) != []


def test_a_visitor_reads_short_sentences() -> None:
    sentences = [part for text in public_texts() for part in re.split(r"[.!?]\s", text)]
    assert [part for part in sentences if len(part.split()) > LONGEST_SENTENCE] == []


def test_a_visitor_never_reads_the_words_of_the_trade() -> None:
    jargon = re.compile(
        r"engagement|référentiel|qual-e-pref|télé(procédure|service)|usager|dématérialis", re.I
    )
    assert [text for text in public_texts() if jargon.search(text)] == []


def test_nobody_is_addressed_as_a_man_or_as_a_woman_only() -> None:
    marked = re.compile(
        r"\w\(e\)|·|\bêtes-vous (venu|satisfait|allé|accompagné)|\bêtre (reçu|écouté|aidé)", re.I
    )
    assert [text for text in public_texts() if marked.search(text)] == []


def test_every_commitment_of_the_framework_is_measured() -> None:
    framework = source_of(FOLDER / "frameworks" / "qual_e_pref.yaml")
    known = {entry["commitment"] for module in framework["modules"] for entry in module["commitments"]}
    measured = {item.commitment for name in QUESTIONNAIRES for item in shipped(name).items if item.commitment}
    assert measured == known


def test_modules_1_4_and_7_are_there_and_every_entry_waits_for_the_official_text() -> None:
    framework = source_of(FOLDER / "frameworks" / "qual_e_pref.yaml")
    assert [module["number"] for module in framework["modules"]] == [1, 4, 7]
    entries = [entry for module in framework["modules"] for entry in module["commitments"]]
    assert all(entry["to_check"] is True and entry["source"] and entry["service"] for entry in entries)


def test_only_the_numbers_seen_in_a_public_document_are_given() -> None:
    framework = source_of(FOLDER / "frameworks" / "qual_e_pref.yaml")
    entries = [entry for module in framework["modules"] for entry in module["commitments"]]
    numbered = {entry["number"]: entry["source"] for entry in entries if "number" in entry}
    assert sorted(numbered) == ["1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "3.1"]
    assert all("Loire" in source for source in numbered.values())


def test_the_services_of_the_framework_are_those_of_the_organisation() -> None:
    framework = source_of(FOLDER / "frameworks" / "qual_e_pref.yaml")
    organisation = source_of(FOLDER / "organisation.yaml")
    known = {service["service"]: service["modules"] for service in organisation["services"]}
    for module in framework["modules"]:
        assert all(module["number"] in known[service] for service in module["services"])


def test_no_contact_is_invented() -> None:
    organisation = source_of(FOLDER / "organisation.yaml")
    assert set(organisation["contact"].values()) == {None}
    assert organisation["reviewers"] == {"en": None, "ar": None}


def test_the_notice_tells_the_terms_that_the_settings_have() -> None:
    terms = RetentionTerms()
    notice = " ".join(strings(source_of(FOLDER / "organisation.yaml")["privacy"]["notice"]))
    assert terms.free_texts_after_closing == 365
    assert "Les textes libres sont effacés un an après" in notice
    assert terms.envelopes_after_sealing == 30
    assert "Il est effacé un mois après la clôture définitive" in notice
    assert terms.responses_after_closing == 1826
    assert "Les réponses détaillées sont effacées après cinq ans" in notice


def test_the_notice_tells_that_the_reference_finds_the_answers() -> None:
    """The page « Merci » shows it, and « Réponses à revoir » finds by it and erases."""
    notice = " ".join(strings(source_of(FOLDER / "organisation.yaml")["privacy"]["notice"]))
    assert "le site donne une référence. Avec elle, nous retrouvons vos réponses" in notice
    assert "Sans elle, nous ne pouvons pas les retrouver" in notice


@pytest.mark.parametrize("name", QUESTIONNAIRES)
def test_only_what_routing_or_the_year_needs_is_required(name: str) -> None:
    required = {item.name for item in shipped(name).items if item.requirement == "required"}
    assert required <= {"contact_means", "overall_opinion"}


def walks() -> Iterator[tuple[str, str, str]]:
    """Every questionnaire, collection mode and site there is."""
    for name in QUESTIONNAIRES:
        source = source_of(FOLDER / "questionnaires" / f"{name}.yaml")
        yield from product([name], source["modes"], source["sites"])


BOUNDS = {"usagers": (7, 18), "elus": (12, 28), "alerte": (5, 12)}
WEB_MINUTES = {"usagers": 3, "elus": 5, "alerte": 2}
SECONDS = {
    "single_choice": 7,
    "multiple_choice": 10,
    "satisfaction": 6,
    "number": 8,
    "recommendation": 7,
    "short_text": 10,
    "long_text": 20,
}
"""Our allowance for reading and tapping one question; a grid row is faster: its scale is known."""
GRID_ROW_SECONDS = 4


@pytest.mark.parametrize("name, mode, site", list(walks()))
def test_every_path_is_long_enough_to_be_useful_and_short_enough_to_be_answered(
    name: str, mode: CollectionMode, site: str
) -> None:
    questionnaire = shipped(name)
    fewest, most = BOUNDS[questionnaire.slug]
    in_grids = {
        row.name for s in questionnaire.sections for b in s.blocks if isinstance(b, Grid) for row in b.items
    }
    minutes = questionnaire.estimated_minutes if mode == "tablet" else WEB_MINUTES[questionnaire.slug]
    for seed in range(60):
        asked = walk(questionnaire, RoutingContext(mode, site), random.Random(seed))
        seconds = sum(GRID_ROW_SECONDS if i.name in in_grids else SECONDS[i.question_type] for i in asked)
        assert fewest <= len(asked) <= most, [item.name for item in asked]
        assert seconds <= 60 * minutes, [item.name for item in asked]


def walk(questionnaire: Questionnaire, context: RoutingContext, chance: random.Random) -> list[Item]:
    """The items that one person is asked who answers at random and skips one optional question in ten."""
    answers: dict[str, object] = {}
    asked: dict[str, Item] = {}
    while True:
        path = [
            i
            for i in relevant_items(questionnaire, answers, context)
            if QUESTION_TYPES[i.question_type].takes_answer
        ]
        item = next((item for item in path if item.name not in asked), None)
        if item is None:
            return list(asked.values())
        asked[item.name] = item
        if item.options and (item.requirement == "required" or chance.random() > 0.1):
            answers[item.name] = [chance.choice(item.options).code]


def test_each_desk_has_questions_of_its_own() -> None:
    questionnaire = shipped("users")
    paths = {
        site: {item.name for item in walk(questionnaire, RoutingContext("website", site), random.Random(1))}
        for site in questionnaire.sites
    }
    for site, asked in paths.items():
        others = set().union(*(names for other, names in paths.items() if other != site))
        assert asked - others, site


def test_an_elected_official_is_not_asked_what_would_name_one_person() -> None:
    questionnaire = shipped("elected_officials")
    mandate = next(section for section in questionnaire.sections if section.name == "mandate")
    assert {item.requirement for item in mandate.items} == {"optional"}
    assert max(len(item.options) for item in mandate.items) <= 4
    places = re.compile(r"bressuire|parthenay|arrondissement|canton|parti politique|nom de", re.I)
    assert [text for text in texts_of(questionnaire) if places.search(text)] == []
