"""The questionnaire on paper: the sheet to print, and the answers typed in by staff."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from form_definitions import check_source
from survey_app.access import ASSISTANT, READER
from survey_app.clock import PARIS, today_in_paris
from survey_app.condition_sentences import sentence_of
from survey_app.database import db
from survey_app.form_state import seal, unseal
from survey_app.models import InboxRecord, Response
from survey_app.responses.intake import judge_waiting
from tests.page_checks import assert_good_page, assert_good_pages
from tests.survey_app.staff_site import StaffSite
from tests.survey_app.website_site import SMALL, WebsiteSite

SHEET = "/q/petit/{}/imprimer?site=immigration"
ENTRY = "/gestion/saisie/petit/fr?site=immigration"


class PaperSite(StaffSite, WebsiteSite):
    """Staff who sign in, and an open wave."""


@pytest.fixture
def site(tmp_path: Path) -> PaperSite:
    site = PaperSite(tmp_path)
    site.publish(SMALL)
    return site


def fields_of(answer: TestResponse) -> MultiDict[str, str]:
    """The hidden fields and the day."""
    tags = re.findall(r'<input type="(?:hidden|date)" ([^>]*)>', answer.text)
    given = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in tags]
    return MultiDict([(tag["name"], unescape(tag["value"])) for tag in given])


def typed_in(client: FlaskClient, *answers: tuple[str, str], **changes: str) -> TestResponse:
    """One sheet typed in."""
    fields = fields_of(client.get(ENTRY))
    for name, value in changes.items():
        fields.setlist(name, [value])
    for name, value in answers:
        fields.add(name, value)
    return client.post(ENTRY, data=fields)


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_the_sheet_holds_every_question_of_the_site_and_hides_none(site: PaperSite, language: str) -> None:
    html = site.app.test_client().get(SHEET.format(language)).text
    items = re.findall(r'data-item="(\w+)"([^>]*)>', html)
    assert {name for name, _ in items} >= {"came", "reasons", "nickname", "detail_place", "comment"}
    assert not any(" hidden" in rest for _, rest in items)
    assert "<form" not in html
    assert_good_page(html, language=language)


def test_the_sheet_says_who_answers_a_conditional_question(site: PaperSite) -> None:
    html = unescape(site.app.test_client().get(SHEET.format("fr")).text)
    said = (
        "Seulement si vous avez répondu «\u202fOui\u202f» à la question «\u202fÊtes-vous venu\u202f?\u202f»"
    )
    assert html.count(said) == 2


def test_a_composed_condition_gets_a_plain_sentence() -> None:
    questionnaire = check_source(SMALL).questionnaire
    assert questionnaire is not None
    composed = {"all": [{"is": ["came", "came_in"]}, {"answered": "minutes"}]}
    for condition in (composed, {"not": composed}):
        said = sentence_of(condition, questionnaire, {}, "fr")
        assert said == "Répondez seulement si cela vous concerne."


def test_a_section_that_not_all_answer_says_so_in_its_heading(site: PaperSite) -> None:
    html = unescape(site.app.test_client().get(SHEET.format("fr")).text)
    said = 'À distance <span class="hint">Seulement si vous avez répondu «\u202fNon\u202f» à la question'
    assert said in html


def test_who_is_left_out_is_said_too(site: PaperSite) -> None:
    site.publish_shipped()
    html = unescape(site.app.test_client().get("/q/usagers/fr/imprimer?site=a_distance").text)
    assert "Sauf si vous avez répondu «\u202fPar le site internet\u202f» ou «\u202fPar un message" in html


def test_a_condition_on_a_question_that_the_sheet_does_not_ask_is_not_told(site: PaperSite) -> None:
    site.publish_shipped()
    html = unescape(site.app.test_client().get("/q/usagers/fr/imprimer?site=immigration").text)
    assert "Comment nos agents vous ont-ils parlé" in html
    assert "contacté nos services" not in html


def test_the_rows_of_a_grid_are_those_of_a_table_with_a_box_for_every_option(site: PaperSite) -> None:
    html = site.app.test_client().get(SHEET.format("fr")).text
    row = re.search(r'<tr data-item="detail_words">(.*?)</tr>', html)
    assert row
    assert row[1].count('<td><span class="box"></span></td>') == html.count('<th scope="col">') == 5
    assert "<input" not in html


def test_without_a_site_the_sheet_asks_for_which(site: PaperSite) -> None:
    answer = site.app.test_client().get("/q/petit/fr/imprimer")
    assert re.findall(r'href="/q/petit/fr/imprimer\?site=(\w+)"', answer.text) == [
        "accueil_general",
        "immigration",
    ]
    assert_good_page(answer.text)


@pytest.mark.parametrize(
    "language, heading, place",
    [
        ("en", "For which place?", "At the"),
        ("ar", "لأي مكان؟", "في"),
    ],
)
def test_the_choice_of_the_site_speaks_the_language_of_the_sheet(
    site: PaperSite, language: str, heading: str, place: str
) -> None:
    html = site.app.test_client().get(f"/q/petit/{language}/imprimer").text
    assert f"<h1>{heading}</h1>" in html
    assert re.findall(rf'<a class="choice" href="/q/petit/{language}/imprimer\?site=\w+">{place}', html)
    assert 'lang="fr"' not in html.partition("<main")[2].partition("</main")[0]
    assert_good_page(html, language=language)
    sheet = site.app.test_client().get(SHEET.format(language)).text
    assert re.search(rf"<dd>{place}", sheet)


def test_typing_in_needs_a_role(site: PaperSite) -> None:
    assert site.client(None).get(ENTRY).status_code == 302
    assert site.client(READER).get(ENTRY).status_code == 403


def test_what_is_typed_in_becomes_one_response_of_mode_paper_on_the_day_of_the_sheet(site: PaperSite) -> None:
    client = site.client(ASSISTANT)
    yesterday = today_in_paris() - dt.timedelta(days=1)
    answer = typed_in(client, ("came", "came_in"), ("reasons", "paper"), _answered_on=yesterday.isoformat())
    assert answer.status_code == 303
    after = client.get(answer.headers["Location"])
    assert "Questionnaire enregistré, référence" in after.text
    assert_good_page(after.text)
    with site.app.app_context():
        judge_waiting()
        row = db.session.scalars(sa.select(Response)).one()
        assert (row.mode, row.site, row.answered_on) == ("paper", "immigration", yesterday)
        assert row.answers == {"came": ["came_in"], "reasons": ["paper"]}


def test_a_question_left_out_on_paper_is_no_fault_but_an_impossible_answer_is(site: PaperSite) -> None:
    client = site.client(ASSISTANT)
    assert typed_in(client, ("comment", "Merci")).status_code == 303
    wrong = typed_in(client, ("minutes", "999"))
    assert wrong.status_code == 422
    assert 'value="999"' in wrong.text
    assert_good_pages({"wrong": (wrong.text, "fr")})


@pytest.mark.parametrize("day", ["", "hier"])
def test_a_day_that_cannot_be_is_asked_for_again(site: PaperSite, day: str) -> None:
    answer = typed_in(site.client(ASSISTANT), ("came", "came_in"), _answered_on=day)
    assert answer.status_code == 422
    assert "Écrivez le jour où la feuille a été remplie." in answer.text


def test_sending_the_same_sheet_twice_counts_once(site: PaperSite) -> None:
    client = site.client(ASSISTANT)
    fields = fields_of(client.get(ENTRY))
    fields.add("came", "came_in")
    places = [client.post(ENTRY, data=fields).headers["Location"] for _ in range(2)]
    assert places[0] == places[1]
    with site.app.app_context():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(InboxRecord)) == 1


def test_a_sheet_without_its_hidden_field_is_refused(site: PaperSite) -> None:
    assert typed_in(site.client(ASSISTANT), _state="x").status_code == 400


def test_an_empty_sheet_is_refused_and_nothing_is_called_obligatory(site: PaperSite) -> None:
    client = site.client(ASSISTANT)
    page = client.get(ENTRY).text
    assert "(obligatoire)" not in page
    assert 'data-requirement="required"' not in page
    answer = typed_in(client)
    assert answer.status_code == 422
    assert "La feuille est vide\u00a0: saisissez au moins une réponse." in answer.text
    with site.app.app_context():
        assert db.session.scalars(sa.select(InboxRecord)).all() == []


def test_a_day_that_has_not_come_is_called_so(site: PaperSite) -> None:
    tomorrow = today_in_paris() + dt.timedelta(days=2)
    answer = typed_in(site.client(ASSISTANT), ("came", "came_in"), _answered_on=tomorrow.isoformat())
    assert answer.status_code == 422
    assert "Ce jour n’est pas encore venu." in answer.text


def test_a_sheet_of_today_typed_in_early_keeps_its_day_without_doubt(site: PaperSite) -> None:
    today = dt.datetime.now(PARIS).date()
    with time_machine.travel(dt.datetime.combine(today, dt.time(7), PARIS), tick=False):
        assert typed_in(site.client(ASSISTANT), ("came", "came_in")).status_code == 303
        (row,) = site.responses()
    assert (row["answered_on"], row["flags"]) == (today, [])


def test_a_second_sheet_typed_on_the_same_page_is_not_lost(site: PaperSite) -> None:
    client = site.client(ASSISTANT)
    fields = fields_of(client.get(ENTRY))
    client.post(ENTRY, data=MultiDict([*fields.items(), ("came", "came_in")]))
    second = client.post(ENTRY, data=MultiDict([*fields.items(), ("came", "stayed_away")]))
    assert second.status_code == 409
    anew = MultiDict([*fields_of(second).items(), ("came", "stayed_away")])
    assert client.post(ENTRY, data=anew).status_code == 303
    assert sorted(row["answers"]["came"][0] for row in site.responses()) == ["came_in", "stayed_away"]


@pytest.mark.parametrize("changes", [{"mode": "website"}, {"slug": "autre"}, {"wave": "autre-2026"}])
def test_a_state_not_made_for_this_sheet_is_refused(site: PaperSite, changes: dict[str, Any]) -> None:
    client, key = site.client(ASSISTANT), site.app.config["SECRET_KEY"]
    state = unseal(fields_of(client.get(ENTRY))["_state"], key)
    answer = typed_in(client, ("came", "came_in"), _state=seal(replace(state, **changes), key))
    assert answer.status_code in (400, 404)
    assert site.records == 0


def test_a_sheet_of_the_last_day_is_typed_in_after_the_wave_has_closed(site: PaperSite) -> None:
    client, now = site.client(ASSISTANT), dt.datetime.now(dt.UTC)
    fields = fields_of(client.get(ENTRY))
    last_day = now.date() - dt.timedelta(days=1)
    site.move_wave("petit-2026", state="closed", closes_on=last_day, closed_at=now)
    assert fields_of(client.get(f"{ENTRY}&edition=petit-2026"))["_answered_on"] == last_day.isoformat()
    fields["_answered_on"], fields["came"] = last_day.isoformat(), "came_in"
    assert client.post(ENTRY, data=fields).status_code == 303
    assert [(row["wave_id"], row["answered_on"]) for row in site.responses()] == [("petit-2026", last_day)]


def test_the_next_sheet_of_a_pile_keeps_day_site_and_edition(site: PaperSite) -> None:
    client, day = site.client(ASSISTANT), (today_in_paris() - dt.timedelta(days=3)).isoformat()
    answer = typed_in(client, ("came", "came_in"), _answered_on=day)
    following = client.get(answer.headers["Location"])
    assert fields_of(following)["_answered_on"] == day
    assert "référence" in following.text
    assert '<button type="reset"' in following.text, "a wrong click on a round button is not for ever"
    elsewhere = re.search(r'<a href="([^"]+)">Autre lieu</a>', following.text)
    assert elsewhere is not None
    assert "Pour quel lieu" in client.get(unescape(elsewhere[1])).text


def test_a_sheet_of_a_day_after_an_early_closing_is_told_so_before_it_is_stored(site: PaperSite) -> None:
    client, now = site.client(ASSISTANT), dt.datetime.now(dt.UTC)
    closed_on = now - dt.timedelta(days=2)
    site.move_wave("petit-2026", state="closed", closed_at=closed_on)
    page = client.get(f"{ENTRY}&edition=petit-2026")
    fields = fields_of(page)
    assert fields["_answered_on"] == closed_on.astimezone(PARIS).date().isoformat()
    fields["_answered_on"], fields["came"] = now.date().isoformat(), "came_in"
    told = client.post(ENTRY, data=fields)
    assert told.status_code == 422
    assert f"au {closed_on.astimezone(PARIS):%d/%m/%Y}. Une feuille d’un autre jour" in told.text
    assert site.records == 0
