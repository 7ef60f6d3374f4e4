"""A questionnaire as a page: the same for every mode, drawn once, safe, light."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from form_definitions import QUESTION_TYPES, CollectionMode, Questionnaire, check_source, load_translations
from survey_app import create_app, settings
from survey_app.questionnaire_view import view_of
from survey_app.rendering import QUESTIONS, Page, draw_section, render_questionnaire
from tests.page_checks import faults_of, heading_faults, typography_faults
from tests.survey_app.website_site import LANGUAGES, SMALL

TEMPLATES = Path(__file__).parents[2] / "survey_app" / "templates" / "items"
NASTY = "</script><script>alert(1)</script> & \u2028"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings.testing(data_folder=tmp_path))
    with app.test_request_context():
        yield app


def a_questionnaire(source: str = SMALL) -> Questionnaire:
    questionnaire = check_source(source).questionnaire
    assert questionnaire is not None
    return questionnaire


def twenty_questions() -> Questionnaire:
    """What the budgets are measured with."""
    head = SMALL[: SMALL.index("sections:")]
    row = "      - {{item: q{0}, type: satisfaction, scale: satisfaction_4, label: La chose numéro {0}}}\n"
    rows = "".join(row.format(number) for number in range(20))
    return a_questionnaire(f"{head}sections:\n  - section: all\n    title: Tout\n    questions:\n{rows}")


def test_every_question_type_has_a_template_and_every_template_is_used() -> None:
    shared = {"parts", "choices", "control", "section"}
    assert {path.stem for path in TEMPLATES.glob("*.html")} - shared == set(QUESTION_TYPES)


@pytest.mark.usefixtures("app")
def test_a_mode_is_asked_only_its_own_questions() -> None:
    source = SMALL.replace("      - item: nickname\n", "      - item: nickname\n        modes: [paper]\n")
    for mode, expected in (("website", False), ("tablet", False), ("paper", True)):
        view = view_of(a_questionnaire(source), {}, "fr", mode)  # type: ignore[arg-type]
        assert ("nickname" in view.sections_by_name["away"].names) is expected


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [QUESTIONS, "paper/questions.html"])
def test_five_different_faces_are_drawn_each_beside_words_and_silent(language: str, template: str) -> None:
    last = view_of(a_questionnaire(), load_translations(), language, "website").sections_by_name["last"]
    html = draw_section(last, Page(items=last.names, drawn_by=template))
    (opinion,) = re.findall(r'data-item="opinion".*?(?:</fieldset>|</ul>)', html, re.DOTALL)
    drawn = re.findall(r"<svg ([^>]*)>(.*?)</svg>\s*<span[^>]*>(?:<span[^>]*>)?([^<]*)", opinion, re.DOTALL)
    assert len(drawn) == opinion.count("<svg") == 5
    assert len({path for _, path, _ in drawn}) == 5
    assert len({words for _, _, words in drawn}) == 5
    assert all('aria-hidden="true"' in attributes and words.strip() for attributes, _, words in drawn)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("mode", ["website", "tablet", "paper"])
def test_a_warning_about_personal_data_stands_between_a_long_text_and_its_question(
    mode: CollectionMode,
) -> None:
    last = view_of(a_questionnaire(), {}, "fr", mode).sections_by_name["last"]
    html = draw_section(last, Page())
    whole = html[html.index('id="question-comment"') :]
    parts = ("Autre chose", "ni nom, ni numéro", "<textarea", "50 caractères au plus")
    places = [whole.index(part) for part in parts]
    assert places == sorted(places)
    described = re.findall(r'<textarea[^>]* aria-describedby="([^"]*)"', whole)[0].split()
    assert {"warning-comment", "counter-comment"} <= set(described)
    on_paper = draw_section(last, Page(items=last.names, drawn_by="paper/questions.html"))
    assert "ni nom, ni numéro" in on_paper


@pytest.mark.usefixtures("app")
def test_a_passage_without_translation_says_that_it_is_french() -> None:
    translations = {"ar": {"Votre avis\u202f?": "رأيكم؟"}}
    view = view_of(a_questionnaire(), translations, "ar", "website")
    labels = view.sections_by_name["last"].labels
    assert labels["opinion"] == "رأيكم؟"
    assert labels["comment"] == '<span lang="fr" dir="ltr">Autre chose à dire\u202f?</span>'


@pytest.mark.usefixtures("app")
def test_the_view_is_made_once_and_not_shared_between_languages() -> None:
    questionnaire, translations = a_questionnaire(), load_translations()
    views = [view_of(questionnaire, translations, code, "website") for code in ("fr", "fr", "en")]
    assert views[0] is views[1]
    assert views[0] is not views[2]


@pytest.mark.usefixtures("app")
def test_what_was_drawn_for_one_person_is_not_shown_to_another() -> None:
    view = view_of(a_questionnaire(), {}, "fr", "website")
    last = view.sections_by_name["last"]
    empty = draw_section(last, Page())
    filled = draw_section(last, Page(answers={"opinion": ["neutral"], "comment": "Secret", "recommend": 7}))
    assert filled.count("checked") == 2
    assert "Secret" in filled
    assert draw_section(last, Page()) == empty
    assert "checked" not in empty
    first = view.sections_by_name["first"]
    draw_section(first, Page(answers={"reasons": ["other"], "reasons.other": "Secret"}))
    assert "Secret" not in draw_section(first, Page(answers={"reasons": ["other"]}))
    draw_section(first, Page(errors={"came": "Une faute"}))
    assert "Une faute" not in draw_section(first, Page())


@pytest.mark.usefixtures("app")
def test_no_text_of_a_questionnaire_can_leave_its_place() -> None:
    questionnaire = a_questionnaire()
    nasty = json.loads(questionnaire.model_dump_json())
    nasty["sections"][0]["blocks"][0]["label"] = NASTY
    nasty["sections"][0]["title"] = nasty["title"] = NASTY
    html = render_questionnaire(
        Questionnaire.model_validate(nasty), {}, "fr", mode="paper", template="questionnaire.html"
    )
    assert "alert(1)</script>" not in html
    block = re.findall(r'<script type="application/json" id="definition">(.*?)</script>', html, re.DOTALL)
    assert json.loads(block[0])["sections"][0]["name"] == "first"


@pytest.mark.usefixtures("app")
def test_the_definition_in_the_page_keeps_a_minimum_of_zero_and_leaves_out_what_is_empty() -> None:
    html = render_questionnaire(a_questionnaire(), {}, "fr", mode="paper")
    text = re.findall(r'id="definition">(.*?)</script>', html, re.DOTALL)[0]
    items = {item["name"]: item for section in json.loads(text)["sections"] for item in section["items"]}
    assert items["minutes"]["minimum"] == 0
    assert items["reasons"]["relevant_if"] == {"is": ["came", "came_in"]}
    assert items["reasons"]["options"][-1] == {"code": "nothing", "exclusive": True}
    assert "options" not in items["comment"]


@pytest.mark.usefixtures("app")
def test_a_first_visit_to_twenty_questions_keeps_to_its_budget(app: Flask) -> None:
    html = render_questionnaire(twenty_questions(), {}, "fr", mode="website")
    page = len(gzip.compress(html.encode(), 9))
    build = Path(app.static_folder or "") / "build"
    manifest = json.loads((build / "manifest.json").read_text())
    style, script = (
        len(gzip.compress((build / manifest[name]).read_bytes(), 9)) for name in ("style.css", "website.js")
    )
    assert style <= 8_000
    assert script <= 15_000
    assert page + style + script <= 41_000


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<p style="color:red">x</p>', "inline style"),
        ('<p onclick="x()">x</p>', "inline script"),
        ("<script>x()</script>", "inline script"),
        ('<p id="a"></p><p id="a"></p>', "used twice"),
        ('<label for="nothing">x</label>', "names no element"),
        ('<input type="text" name="x">', "no label"),
        ("<h1>x</h1><h3>y</h3>", "heading 3 right after heading 1"),
        ('<img src="https://example.org/x.png" alt="">', "from another site"),
        ("<p>Vraiment ?</p>", "ordinary space"),
        ("<p>l'accueil</p>", "straight apostrophe"),
    ],
)
def test_the_page_checks_find_what_they_are_there_for(html: str, fault: str) -> None:
    head = '<!doctype html><html lang="fr" dir="ltr"><head><title>Un bon titre</title></head><body><h1>x</h1>'
    whole = f"{head}{html}</body></html>"
    assert any(fault in found for found in faults_of(whole))


def test_the_page_checks_find_nothing_in_good_text() -> None:
    assert (
        typography_faults(["Vraiment\u202f? Oui\u202f!", "Le lieu\u00a0: «\u202fici\u202f», à 10:30."]) == []
    )
    assert heading_faults([1, 2, 3, 2]) == []
