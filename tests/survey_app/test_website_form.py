"""The website form without JavaScript: every path that a browser alone can take."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from werkzeug.datastructures import MultiDict

from form_definitions import LANGUAGES
from survey_app.collection_modes import website
from survey_app.database import db
from survey_app.form_state import seal, unseal
from survey_app.models import InboxConflict, InboxRecord
from survey_app.responses.bursts import LARGEST_USUAL_NUMBER, BurstCounter
from survey_app.responses.flags import counted_by_default
from tests.page_checks import assert_good_page, assert_good_pages
from tests.survey_app.website_site import SMALL, Visitor, WebsiteSite

WAVE = "petit-2026"
ADDRESS = "/q/petit/fr?site=immigration"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WebsiteSite:
    monkeypatch.setattr(website, "_bursts", BurstCounter())
    site = WebsiteSite(tmp_path)
    site.publish(SMALL)
    return site


@pytest.fixture
def visitor(site: WebsiteSite) -> Visitor:
    return site.visitor()


def at_the_end(visitor: Visitor, address: str = ADDRESS) -> Visitor:
    """The last page, the earlier ones answered."""
    visitor.open(address).send(came="stayed_away", minutes="5")
    visitor.send(nickname="Bonjour")
    assert visitor.heading == "Pour finir"
    return visitor


# Opening


def test_the_first_question_is_on_the_first_page_with_the_privacy_notice(visitor: Visitor) -> None:
    visitor.open(ADDRESS)
    assert visitor.shows("came")
    assert "Aucun cookie" in visitor.html
    assert "/q/petit/fr/confidentialite" in visitor.html


def test_a_form_just_opened_looks_at_no_cookie(visitor: Visitor) -> None:
    answer = visitor.client.get(ADDRESS)
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_opening_a_form_sets_no_cookie_and_stores_nothing(site: WebsiteSite, visitor: Visitor) -> None:
    visitor.open(ADDRESS)
    assert visitor.page is not None
    assert "Set-Cookie" not in visitor.page.headers
    assert visitor.page.headers["Cache-Control"] == "private, no-cache"
    assert site.records == 0


def test_where_the_address_names_no_site_the_site_is_the_first_question(
    site: WebsiteSite, visitor: Visitor
) -> None:
    visitor.open("/q/petit/fr")
    assert visitor.shows("_site")
    visitor.send()
    assert visitor.status == 422
    visitor.send(_site="accueil_general").send(came="stayed_away", minutes="1").send().send().follow()
    assert [(row["site"], row["answers"]) for row in site.responses()] == [
        ("accueil_general", {"came": ["stayed_away"], "minutes": 1})
    ]


def test_a_site_that_is_not_of_this_wave_is_asked_for(visitor: Visitor) -> None:
    assert visitor.open("/q/petit/fr?site=lune").shows("_site")


def test_a_questionnaire_with_one_site_asks_for_none(tmp_path: Path) -> None:
    site = WebsiteSite(tmp_path / "one")
    site.publish(SMALL, sites=["immigration"])
    assert site.visitor().open("/q/petit/fr").shows("came")


@pytest.mark.parametrize("address", ["/q/petit/de", "/q/petit/xx-yy", "/q/inconnu/fr", "/q/petit/fr/rien"])
def test_what_does_not_exist_is_said_kindly(visitor: Visitor, address: str) -> None:
    visitor.open(address)
    assert visitor.status == 404
    assert "<h1>" in visitor.html


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "draft"},
        {"state": "closed"},
        {"opens_on": dt.date(2999, 1, 1)},
        {"closes_on": dt.date(2000, 1, 1)},
        {"modes": ["tablet"]},
    ],
)
@pytest.mark.abuse("AC-07")
def test_a_wave_that_is_not_open_to_the_web_shows_a_friendly_page(
    site: WebsiteSite, visitor: Visitor, changes: dict[str, object]
) -> None:
    site.move_wave(WAVE, **changes)
    visitor.open(ADDRESS)
    assert visitor.status == 404
    assert visitor.heading == "Ce questionnaire n’est pas ouvert"
    assert_good_page(visitor.html)


@pytest.mark.parametrize("language, told", [("xx", "fr"), ("de", "en"), ("FR", "ar")])
def test_an_unknown_language_leads_to_those_of_the_form_with_the_rest_of_the_address(
    site: WebsiteSite, language: str, told: str
) -> None:
    client = site.app.test_client()
    asked = client.get(f"/q/petit/{language}?site=immigration", headers={"Accept-Language": told})
    assert asked.status_code == 404
    assert f'<html lang="{told}"' in asked.text
    links = re.findall(r'class="choice" href="([^"]+)" lang="(\w+)"', asked.text)
    assert links == [(f"/q/petit/{code}?site=immigration", code) for code in ("fr", "en", "ar")]
    assert all(client.get(link).status_code == 200 for link, _ in links)
    assert_good_page(asked.text, language=told)


def test_a_language_that_only_the_edition_leaves_out_is_no_dead_end_either(site: WebsiteSite) -> None:
    site.move_wave(WAVE, languages=["fr"])
    asked = site.app.test_client().get("/q/petit/en")
    assert asked.status_code == 404
    assert re.findall(r'class="choice" href="([^"]+)"', asked.text) == ["/q/petit/fr"]


# Going on, back, and correcting


def test_a_question_that_becomes_relevant_is_shown_on_the_same_page_with_the_focus(visitor: Visitor) -> None:
    visitor.open(ADDRESS)
    assert not visitor.shows("reasons")
    visitor.send(came="came_in", minutes="5")
    assert visitor.status == 200
    assert visitor.shows("reasons")
    assert re.search(r'<p class="added"[^>]* autofocus>.*?data-item="reasons"', visitor.html, re.DOTALL)


def test_a_question_shown_and_left_out_is_not_shown_again(visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(came="came_in", minutes="5").send(reasons=["paper"])
    assert visitor.heading == "Pour finir"


def test_a_required_question_without_answer_stops_with_a_summary_that_takes_the_focus(
    visitor: Visitor,
) -> None:
    visitor.open(ADDRESS).send(minutes="abc")
    assert visitor.status == 422
    assert "<title>Erreur\u00a0: " in visitor.html
    assert re.search(r'<div class="summary"[^>]* tabindex="-1" autofocus>', visitor.html)
    assert re.findall(r'<li><a href="#([^"]*)"', visitor.html) == ["question-came", "question-minutes"]
    assert 'value="abc"' in visitor.html
    assert_good_page(visitor.html)


def test_an_exclusive_option_together_with_another_is_pointed_out(visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(came="came_in", minutes="5").send(reasons=["paper", "nothing"])
    assert visitor.status == 422
    assert "Gardez cette réponse seule" in visitor.html


def test_an_advised_question_is_asked_for_once_and_then_may_be_left_out(visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(came="stayed_away")
    assert visitor.status == 200
    assert "Vous pouvez aussi continuer sans y répondre." in visitor.html
    visitor.send()
    assert visitor.shows("nickname")


def test_going_back_keeps_the_answers_of_both_pages(visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(came="stayed_away", minutes="7")
    visitor.send("back", nickname="Bravo")
    assert 'value="stayed_away" id="came-stayed_away" checked' in visitor.html
    assert 'value="7"' in visitor.html
    visitor.send()
    assert 'value="Bravo"' in visitor.html


def test_a_section_off_the_path_is_skipped_and_its_answers_are_not_counted(
    site: WebsiteSite, visitor: Visitor
) -> None:
    visitor.open(ADDRESS).send(came="stayed_away", minutes="7").send("back", nickname="Bravo")
    visitor.send(came="came_in").send(reasons=["other"], reasons__other="  Un  colis ")
    assert visitor.heading == "Pour finir"
    visitor.send(opinion="satisfied", recommend="0", detail_place="satisfied").follow()
    (row,) = site.responses()
    assert row["answers"] == {
        "came": ["came_in"],
        "minutes": 7,
        "reasons": ["other"],
        "reasons.other": "Un  colis",
        "opinion": ["satisfied"],
        "detail_place": ["satisfied"],
        "recommend": 0,
    }
    assert row["other_answers"] == {"nickname": "Bravo"}


def test_the_language_changes_without_losing_an_answer(site: WebsiteSite, visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(language="ar", came="stayed_away", minutes="7")
    assert '<html lang="ar" dir="rtl">' in visitor.html
    assert '<span lang="fr" dir="ltr">Êtes-vous venu\u202f?</span>' in visitor.html
    assert 'action="/q/petit/ar"' in visitor.html
    visitor.send().send().send().follow()
    assert [(row["language"], row["answers"]["minutes"]) for row in site.responses()] == [("ar", 7)]


def test_a_language_that_the_wave_does_not_offer_cannot_be_chosen(
    site: WebsiteSite, visitor: Visitor
) -> None:
    site.move_wave(WAVE, languages=["fr"])
    visitor.open(ADDRESS)
    assert "_language" not in visitor.html
    visitor.send(language="ar", came="stayed_away", minutes="7")
    assert '<html lang="fr"' in visitor.html


# The end


def test_the_end_thanks_with_a_reference_after_a_redirection(site: WebsiteSite, visitor: Visitor) -> None:
    at_the_end(visitor).send(comment="Très bien.").follow()
    assert visitor.heading == "Merci, votre avis est enregistré"
    assert re.search(r"<strong[^>]*>[A-Z2-7]{4}-[A-Z2-7]{4}</strong>", visitor.html)
    assert_good_page(visitor.html)
    (row,) = site.responses()
    assert (row["mode"], row["site"], row["wave_id"], row["complete"], row["practice"]) == (
        "website",
        "immigration",
        WAVE,
        True,
        False,
    )
    assert row["flags"] == []


@pytest.mark.abuse("AC-03")
def test_a_thousand_replays_twenty_at_once_are_one_record(site: WebsiteSite, visitor: Visitor) -> None:
    site.app.extensions["survey_rate_limits"].enabled = False
    fields = at_the_end(visitor).fields()
    fields["_action"] = "next"

    def replay(_number: int) -> str:
        client = site.app.test_client()
        answer = client.post("/q/petit/fr", data=fields, headers={"Sec-Fetch-Site": "same-origin"})
        return str(answer.headers["Location"])

    with ThreadPoolExecutor(20) as pool:
        places = set(pool.map(replay, range(1000)))
    assert len(places) == 1
    assert (site.records, site.conflicts) == (1, 0)


@pytest.mark.abuse("AC-04")
def test_a_changed_answer_sent_after_going_back_in_the_browser_is_kept_apart(
    site: WebsiteSite, visitor: Visitor
) -> None:
    fields = at_the_end(visitor).fields()
    first = visitor.post(MultiDict([*fields.items(multi=True), ("comment", "un")])).page
    with_page_before = Visitor(visitor.client)
    with_page_before.open(ADDRESS)
    changed = fields.copy()
    changed.setlist("comment", ["deux"])
    with_page_before.post(changed)
    assert first is not None
    assert first.status_code == 303
    assert with_page_before.status == 409
    assert "Un avis a déjà été envoyé depuis cette page" in with_page_before.html
    assert_good_page(with_page_before.html)
    assert (site.records, site.conflicts) == (1, 1)
    assert len(site.responses()) == 1


@pytest.mark.parametrize("steps_back", [1, 2])
def test_the_same_answers_sent_again_after_going_back_are_the_same_record(
    site: WebsiteSite, visitor: Visitor, steps_back: int
) -> None:
    """Page by page, at another second: the bytes differ, the answers do not."""
    fields = at_the_end(visitor).fields()
    first = visitor.post(fields).page
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=70), tick=True):
        again = Visitor(visitor.client).open(ADDRESS)
        again.post(MultiDict([*fields.items(multi=True), ("_action", "back")]))
        for _ in range(steps_back - 1):
            again.send("back")
        for _ in range(steps_back + 1):
            again.send()
    assert first is not None
    assert again.page is not None
    assert (again.status, again.page.headers["Location"]) == (303, first.headers["Location"])
    assert (site.records, site.conflicts) == (1, 0)


def test_the_next_person_at_the_same_page_sends_their_answers_as_their_own_with_one_press(
    site: WebsiteSite, visitor: Visitor
) -> None:
    fields = at_the_end(visitor).fields()
    fields.setlist("comment", ["un"])
    first = visitor.post(fields).page
    following = Visitor(visitor.client).open(ADDRESS)
    fields.setlist("comment", ["deux"])
    following.post(fields)
    following.send()
    assert first is not None
    assert following.page is not None
    assert following.status == 303
    assert following.page.headers["Location"] != first.headers["Location"]
    rows = {row["answers"]["comment"]: row for row in site.responses()}
    assert rows.keys() == {"un", "deux"}
    assert [rows[comment]["flags"] for comment in rows if comment == "deux"] == [["sent_anew"]]
    assert not counted_by_default(rows["deux"]["flags"], practice=False)


def test_the_same_answers_from_a_page_drawn_again_are_thanked_for_and_are_one_record(
    site: WebsiteSite, visitor: Visitor
) -> None:
    """Without JavaScript: Back after « Merci », back and on again in the form: a newer last page."""
    before = at_the_end(visitor).fields()
    before.setlist("comment", ["un"])
    first = visitor.post(before.copy()).page
    returned = Visitor(visitor.client).open(ADDRESS)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3), tick=True):
        before["_action"] = "back"
        returned.post(before).send()
        assert returned.fields()["comment"] == "un"
        returned.send()
    assert first is not None
    assert returned.page is not None
    assert (returned.status, returned.page.headers["Location"]) == (303, first.headers["Location"])
    assert (site.records, site.conflicts, len(site.responses())) == (1, 0, 1)


def test_other_answers_from_a_page_already_sent_wait_for_the_referent(
    site: WebsiteSite, visitor: Visitor
) -> None:
    fields = at_the_end(visitor).fields()
    fields.setlist("comment", ["un"])
    visitor.post(fields)
    following = Visitor(visitor.client).open(ADDRESS)
    fields.setlist("comment", ["deux"])
    following.post(fields)
    following.send()
    flags = {row["answers"]["comment"]: row["flags"] for row in site.responses()}
    assert ("sent_anew" in flags["un"], "sent_anew" in flags["deux"]) == (False, True)
    assert not counted_by_default(flags["deux"], practice=False)


def test_practice_and_impatient_fingers_take_no_real_answer_out(site: WebsiteSite, visitor: Visitor) -> None:
    site.app.extensions["survey_rate_limits"].enabled = False
    practice = visitor.open(f"{ADDRESS}&essai=1").send(came="stayed_away", minutes="1").send().fields()
    for _ in range(LARGEST_USUAL_NUMBER + 5):
        key = site.app.config["SECRET_KEY"]
        another = replace(unseal(practice["_state"], key), record_id=str(uuid.uuid4()))
        fields = MultiDict([*practice.items(multi=True)])
        fields.setlist("_state", [seal(another, key)])
        Visitor(visitor.client).open(ADDRESS).post(fields)
    clicked = at_the_end(Visitor(visitor.client)).fields()
    for _ in range(LARGEST_USUAL_NUMBER + 5):
        Visitor(visitor.client).open(ADDRESS).post(clicked.copy())
    at_the_end(Visitor(visitor.client)).send()
    real = [row for row in site.responses() if not row["practice"]]
    assert len(real) == 2
    assert not any("burst" in row["flags"] for row in real)


def test_the_state_of_a_sheet_of_paper_is_no_page_of_the_website(site: WebsiteSite, visitor: Visitor) -> None:
    key = site.app.config["SECRET_KEY"]
    fields = at_the_end(visitor).fields()
    fields["_state"] = seal(replace(unseal(fields["_state"], key), mode="paper"), key)
    visitor.post(fields)
    assert visitor.status == 422
    assert site.records == 0


def test_an_answer_finished_after_the_wave_closed_is_taken_and_flagged(
    site: WebsiteSite, visitor: Visitor
) -> None:
    at_the_end(visitor)
    site.move_wave(WAVE, state="closed", closed_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
    visitor.send().follow()
    assert visitor.heading == "Merci, votre avis est enregistré"
    assert len(site.responses()) == 1


def test_a_page_left_open_for_days_is_taken_and_flagged(site: WebsiteSite, visitor: Visitor) -> None:
    at_the_end(visitor)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=2), tick=True):
        visitor.send().follow()
        (row,) = site.responses()
    assert "old_page" in row["flags"]


def test_a_practice_answer_says_so_on_every_page_and_is_never_counted(
    site: WebsiteSite, visitor: Visitor
) -> None:
    visitor.open(f"{ADDRESS}&essai=1")
    assert "Essai\u00a0: vos réponses ne seront pas comptées." in visitor.html
    visitor.send(came="stayed_away", minutes="1")
    assert "Essai\u00a0: vos réponses ne seront pas comptées." in visitor.html
    visitor.send().send().follow()
    assert visitor.heading == "L’essai est terminé"
    assert [row["practice"] for row in site.responses()] == [True]


def test_a_wrong_answer_on_an_earlier_page_is_found_at_the_end(site: WebsiteSite, visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(came="stayed_away", minutes="7").send("back")
    visitor.send(language="en", minutes="abc")
    visitor.send("back", minutes="abc")
    assert visitor.send().status == 422
    assert site.records == 0


def test_a_reference_that_this_server_did_not_give_is_not_repeated(visitor: Visitor) -> None:
    visitor.open("/q/petit/fr/merci?recu=ABCD-EFGH.0123456789abcdef")
    assert "ABCD-EFGH" not in visitor.html


@pytest.mark.parametrize("receipt", ["", "?recu=ABCD-EFGH.0123456789abcdef", "?essai=1"])
def test_nobody_is_thanked_for_an_answer_that_was_not_received(visitor: Visitor, receipt: str) -> None:
    visitor.open(f"/q/petit/fr/merci{receipt}")
    assert "enregistré" not in visitor.html
    assert "Aucun envoi à confirmer" in visitor.html
    assert 'href="/q/petit/fr"' in visitor.html


# Forged and broken requests


@pytest.mark.abuse("AC-05")
@pytest.mark.parametrize("state", ["", "x", "AAAA", "é", "A" * 4000])
def test_without_a_readable_state_nothing_is_stored_and_the_answers_stay(
    site: WebsiteSite, visitor: Visitor, state: str
) -> None:
    visitor.open(ADDRESS)
    fields = visitor.fields()
    fields.setlist("_state", [state])
    fields.add("came", "stayed_away")
    fields.setlist("minutes", ["42"])
    visitor.post(fields)
    assert visitor.status == 422
    assert "Cette page n’a pas pu être relue" in visitor.html
    assert_good_page(visitor.html)
    assert site.records == 0
    visitor.send(_site="immigration")
    assert 'value="stayed_away" id="came-stayed_away" checked' in visitor.html
    assert 'value="42"' in visitor.html


@pytest.mark.abuse("AC-05")
def test_a_state_with_one_changed_letter_or_of_another_questionnaire_is_not_believed(
    site: WebsiteSite, visitor: Visitor
) -> None:
    site.publish(SMALL.replace("questionnaire: petit", "questionnaire: autre"))
    fields = at_the_end(visitor).fields()
    state = fields["_state"]
    for other in (state[:50] + ("A" if state[50] != "A" else "B") + state[51:], state[:-8]):
        fields.setlist("_state", [other])
        assert visitor.client.post("/q/petit/fr", data=fields).status_code == 422
    fields.setlist("_state", [state])
    assert visitor.client.post("/q/autre/fr", data=fields).status_code == 422
    assert site.records == 0


@pytest.mark.abuse("AC-08")
@pytest.mark.abuse("AC-09")
def test_fields_that_nobody_asked_for_change_nothing(site: WebsiteSite, visitor: Visitor) -> None:
    columns = {"wave_id": "x", "mode": "tablet", "site": "accueil_general", "practice": "1", "complete": "0"}
    more = {**columns, "device": "x", "flags": "x", "answered_on": "2001-01-01", "_site": "accueil_general"}
    at_the_end(visitor).send(**more).follow()
    (row,) = site.responses()
    assert (row["mode"], row["site"], row["wave_id"], row["practice"]) == (
        "website",
        "immigration",
        WAVE,
        False,
    )
    assert row["other_answers"] == {}
    with site.app.app_context():
        record = db.session.scalars(sa.select(InboxRecord)).one()
        assert (record.source, record.device_id) == ("website", None)


@pytest.mark.abuse("AC-06")
@pytest.mark.parametrize(
    "answers",
    [
        {"came": "moon"},
        {"came": ["came_in", "stayed_away"]},
        {"came": "stayed_away", "minutes": "301"},
        {"came": "stayed_away", "minutes": "9" * 400},
        {"came": "stayed_away", "minutes": "1e5"},
        {"came": "stayed_away", "minutes": "\x00"},
    ],
)
def test_an_impossible_answer_is_pointed_out_and_not_stored(
    site: WebsiteSite, visitor: Visitor, answers: dict[str, str]
) -> None:
    assert visitor.open(ADDRESS).send(**answers).status == 422
    assert site.records == 0


def test_a_text_longer_than_allowed_stays_on_the_page_whole(visitor: Visitor) -> None:
    at_the_end(visitor).send(comment="é" * 51)
    assert visitor.status == 422
    assert "é" * 51 in visitor.html


def test_a_text_is_shown_again_as_it_was_written_never_as_markup(visitor: Visitor) -> None:
    at_the_end(visitor).send("back")
    visitor.send(nickname="<b>'\"&amp;")
    visitor.send("back")
    assert visitor.fields()["nickname"] == "<b>'\"&amp;"
    assert "<b>'" not in visitor.html


@pytest.mark.abuse("AC-01")
def test_many_posts_from_one_address_are_slowed_down_and_flagged(site: WebsiteSite, visitor: Visitor) -> None:
    at_the_end(visitor)
    fields = visitor.fields()
    statuses = []
    for _ in range(150):
        answer = visitor.client.post("/q/petit/fr", data=fields)
        statuses.append(answer.status_code)
    assert statuses.count(429) >= 25


@pytest.mark.abuse("AC-01")
def test_a_burst_of_finished_forms_is_flagged(site: WebsiteSite) -> None:
    site.app.extensions["survey_rate_limits"].enabled = False
    for _ in range(25):
        at_the_end(site.visitor()).send().follow()
    flags = [row["flags"] for row in site.responses()]
    assert flags.count(["burst"]) == 5
    assert flags.count([]) == 20


def test_a_foreign_page_cannot_send_the_form(visitor: Visitor) -> None:
    fields = at_the_end(visitor).fields()
    answer = visitor.client.post("/q/petit/fr", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_no_answer_of_an_earlier_page_is_in_the_page_in_clear(visitor: Visitor) -> None:
    visitor.open(ADDRESS).send(came="stayed_away", minutes="137").send(nickname="Zanzibar")
    assert visitor.heading == "Pour finir"
    assert "Zanzibar" not in visitor.html
    assert "137" not in visitor.html.replace(visitor.fields()["_state"], "")


def test_get_and_head_change_nothing(site: WebsiteSite, visitor: Visitor) -> None:
    for address in ("/", ADDRESS, "/q/petit/fr/merci", "/q/petit/fr/imprimer?site=immigration"):
        assert visitor.client.get(address).status_code == 200
        assert visitor.client.head(address).status_code == 200
    assert site.records == 0
    assert site.count(InboxConflict) == 0


@pytest.mark.parametrize(
    ("asked", "language"),
    [("ar-DZ,ar;q=0.9,fr;q=0.5", "ar"), ("en", "en"), ("de,pl;q=0.8", "fr"), ("", "fr")],
)
def test_the_short_address_leads_to_the_language_of_the_browser(
    tmp_path: Path, asked: str, language: str
) -> None:
    site = WebsiteSite(tmp_path / "shipped")
    site.publish_shipped()
    answer = site.app.test_client().get("/q/usagers?site=immigration", headers={"Accept-Language": asked})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/q/usagers/{language}?site=immigration"
    assert "Accept-Language" in answer.headers["Vary"]


def test_the_short_address_of_nothing_is_a_page_that_says_so(site: WebsiteSite) -> None:
    assert site.app.test_client().get("/q/inconnu").status_code == 404


# Every page


def test_every_page_of_the_shipped_questionnaires_is_good_in_every_language(tmp_path: Path) -> None:
    site = WebsiteSite(tmp_path / "shipped")
    site.publish_shipped()
    site.app.extensions["survey_rate_limits"].enabled = False
    pages: dict[str, tuple[str, str]] = {}
    for slug, where in (("usagers", "immigration"), ("usagers", "a_distance"), ("elus", "a_distance")):
        for language in ("fr", "en", "ar"):
            walk(site.visitor(), f"/q/{slug}/{language}?site={where}", f"{slug}-{where}", language, pages)
    assert len(pages) > 50
    assert_good_pages(pages)


def walk(visitor: Visitor, address: str, name: str, language: str, pages: dict[str, tuple[str, str]]) -> None:
    """Every page of one trip, the first options chosen, each page also as it looks with a fault."""
    visitor.open(address)
    for number in range(20):
        if visitor.status == 303:
            visitor.follow()
            break
        pages[f"{name}-{language}-{number}"] = (visitor.html, language)
        fields = visitor.fields()
        shown = re.sub(r"<fieldset[^>]* disabled.*?</fieldset>", "", visitor.html, flags=re.DOTALL)
        for item, option in re.findall(r'type="radio" name="([^"]*)" value="([^"]*)"', shown)[::-1]:
            fields.setlist(item, [option])
        for item, option in re.findall(r'type="checkbox" name="([^"]*)" value="([^"]*)"', shown)[::-1]:
            fields.setlist(item, [option])
        visitor.post(MultiDict([*fields.items(multi=True), ("_action", "next")]))
    pages[f"{name}-{language}-end"] = (visitor.html, language)
    assert "merci" not in visitor.heading
    assert 'class="tick"' in visitor.html


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_the_pages_around_the_form_are_good(site: WebsiteSite, visitor: Visitor, language: str) -> None:
    addresses = [f"/{name}/{language}" for name in ("confidentialite", "accessibilite", "mentions-legales")]
    addresses += [f"/q/petit/{language}/confidentialite"]
    pages = {f"page{n}": (visitor.open(a).html, language) for n, a in enumerate(addresses)}
    assert_good_pages(pages)


def test_the_start_lists_the_open_questionnaires_and_their_languages_by_own_names(visitor: Visitor) -> None:
    visitor.open("/")
    assert_good_page(visitor.html)
    assert re.findall(r'href="(/q/[^"]*)" lang="(\w+)"[^>]*>([^<]*)<', visitor.html) == [
        ("/q/petit/fr", "fr", "Français"),
        ("/q/petit/en", "en", "English"),
        ("/q/petit/ar", "ar", "العربية"),
    ]


@pytest.mark.parametrize(
    ("address", "asked", "language", "title"),
    [
        ("/", "ar-DZ,ar;q=0.9,fr;q=0.5", "ar", "أبدوا رأيكم"),
        ("/", "de,en;q=0.8", "en", "Give your opinion"),
        ("/", "de", "fr", "Donnez votre avis"),
        ("/", "", "fr", "Donnez votre avis"),
        ("/?lang=en", "ar", "en", "Give your opinion"),
        ("/?lang=xx", "ar", "ar", "أبدوا رأيكم"),
    ],
)
def test_the_start_speaks_the_language_that_is_chosen_or_else_that_of_the_browser(
    site: WebsiteSite, address: str, asked: str, language: str, title: str
) -> None:
    site.publish_shipped()
    answer = site.app.test_client().get(address, headers={"Accept-Language": asked})
    assert_good_page(answer.text, language=language)
    assert f"<h1>{title}</h1>" in answer.text
    assert f'href="/?lang={language}" hreflang="{language}" lang="{language}"' in answer.text
    assert re.findall(r'aria-current="true">([^<]*)<', answer.text) == [LANGUAGES[language].own_name]
    assert "Accept-Language" in answer.headers["Vary"]


def test_the_start_translates_the_titles_and_marks_as_french_those_without_translation(
    site: WebsiteSite, visitor: Visitor
) -> None:
    site.publish_shipped()
    titles = re.findall(r'<h2 id="offer[^>]*>(.*?)</h2>', visitor.open("/?lang=en").html)
    assert titles[0] == '<span lang="fr" dir="ltr">Un petit questionnaire</span>'
    assert "Your opinion of our services" in titles


def test_the_declaration_of_accessibility_claims_no_audit(visitor: Visitor) -> None:
    assert "non conforme. L’audit n’a pas été réalisé." in visitor.open("/accessibilite/").html
