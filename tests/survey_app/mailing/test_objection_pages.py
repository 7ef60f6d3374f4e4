"""« Oppositions »: said to the staff, listed, lifted with a reason; all of it in the log, no address kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from survey_app.audit import latest
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation, Objection
from survey_app.invitations import links
from survey_app.invitations.objections import add_objection, objects
from survey_app.invitations.redemption import Holder
from survey_app.invitations.transitions import object_for_good
from tests.page_checks import assert_good_pages
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_mailing_pages import draft, plan_now, send_all
from tests.survey_app.staff_site import StaffSite, post

PAGE = "/gestion/oppositions"


@pytest.fixture
def listed(site: StaffSite, relay: ScriptedRelay, tmp_path: Path) -> list[str]:
    """An open list of three, of whom the first one objected on the page of the link."""
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        numbers = field.open_a_list()
        object_for_good(Holder(numbers[0], 1))
        return numbers


def state(site: StaffSite, number: str) -> str:
    with site.database():
        return db.session.get_one(Invitation, number).state


def lift(site: StaffSite, reason: str = "asked") -> str:
    with site.database():
        hashed = db.session.scalars(sa.select(Objection.address_hash)).one()
    answer = post(site.client(), f"{PAGE}/{hashed}/lever", {"motif": reason}, page=PAGE)
    return answer.text if answer.status_code == 422 else site.client().get(PAGE).text


def test_the_list_says_since_when_said_where_and_whose_it_is(site: StaffSite, listed: list[str]) -> None:
    with site.database(), write_transaction() as transaction:
        add_objection(transaction, links.address_hash("parti@ailleurs.fr"), origin="one_click")
    shown = site.client().get(PAGE).text
    assert "L’Absie, mairie2@commune.test" in shown
    assert "sur la page de son lien" in shown
    assert "Dans aucune liste d’aujourd’hui" in shown
    assert "parti@ailleurs.fr" not in shown
    assert "Saint-Aubin-le-Cloud" not in shown


def test_a_lifted_objection_lets_the_link_and_the_mails_live_again(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    assert state(site, listed[0]) == "objected"
    assert "Aucune opposition" in lift(site)
    assert state(site, listed[0]) == "waiting"
    plan_now(site.client(), draft(site))
    send_all(site)
    assert len(relay.accepted) == 3


def test_lifting_needs_a_reason_which_the_log_keeps_without_the_address(
    site: StaffSite, listed: list[str]
) -> None:
    assert "Choisissez pourquoi" in lift(site, "")
    assert state(site, listed[0]) == "objected"
    lift(site, "mistake")
    with site.database():
        [entry] = [one for one in latest(9) if one.action == "objection-lifted"]
    assert entry.actor == "referent@prefecture.test.fr"
    assert entry.detail["reason"] == "mistake"
    assert (entry.detail["origin"], entry.detail["links"]) == ("link", 1)
    assert "commune.test" not in f"{entry.subject} {entry.detail}"
    assert "Opposition à tout envoi levée" in site.client().get("/gestion/journal").text


def test_lifting_twice_says_that_it_was_done(site: StaffSite, listed: list[str]) -> None:
    with site.database():
        hashed = db.session.scalars(sa.select(Objection.address_hash)).one()
    client = site.client()
    answers = [post(client, f"{PAGE}/{hashed}/lever", {"motif": "asked"}, page=PAGE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 422]
    assert "déjà été levée" in answers[1].text


def test_in_a_closed_edition_nothing_is_asked_again(site: StaffSite, listed: list[str]) -> None:
    with site.database(), write_transaction() as transaction:
        transaction.get_one(Invitation, listed[0])
        transaction.execute(sa.text("UPDATE wave SET state = 'closed'"))
    lift(site)
    assert state(site, listed[0]) == "objected"


def test_what_is_said_by_telephone_is_noted_for_all_who_share_the_address(
    site: StaffSite, listed: list[str]
) -> None:
    with site.database():
        field.change_invitation(listed[2], email="MAIRIE3@commune.test")
    client = site.client()
    assert post(client, PAGE, {"adresse": " Mairie3@commune.test"}).status_code == 303
    assert [state(site, number) for number in listed] == ["objected"] * 3
    with site.database():
        assert objects(db.session(), "mairie3@commune.test")
        entry = latest(1)[0]
    assert (entry.action, entry.detail) == ("objection-recorded", {"links": 2})
    assert "auprès de la préfecture" in client.get(PAGE).text


def test_an_incomplete_address_is_refused_and_stays_in_its_field(site: StaffSite, listed: list[str]) -> None:
    answer = post(site.client(), PAGE, {"adresse": "mairie"})
    assert answer.status_code == 422
    assert 'value="mairie"' in answer.text
    assert "Écrivez une adresse complète" in answer.text


def test_an_answer_that_is_there_stays_when_its_author_objects(site: StaffSite, listed: list[str]) -> None:
    with site.database():
        field.change_invitation(listed[1], state="answered")
    post(site.client(), PAGE, {"adresse": "mairie3@commune.test"})
    assert state(site, listed[1]) == "answered"


def test_a_recipient_without_electronic_address_can_object_too(site: StaffSite, listed: list[str]) -> None:
    with site.database():
        field.change_invitation(listed[1], email=None)
    client, page = site.client(), f"/gestion/destinataires/{listed[1]}"
    assert post(client, f"{page}/opposition", page=page).status_code == 303
    assert state(site, listed[1]) == "objected"
    assert "Cette personne s’oppose à tout envoi" in client.get(page).text
    assert "Saint-Aubin-le-Cloud" in client.get(PAGE).text


def test_the_page_is_for_the_referent_alone_and_is_found_from_the_lists(
    site: StaffSite, listed: list[str]
) -> None:
    assert site.client("director").get(PAGE).status_code == 403
    assert PAGE not in site.client("director").get("/gestion/listes").text
    assert PAGE in site.client().get("/gestion/listes").text


def test_the_pages_are_good_pages(site: StaffSite, listed: list[str]) -> None:
    client = site.client()
    pages = {
        "list": client.get(PAGE).text,
        "wrong": post(client, PAGE, {"adresse": "x"}).text,
        "recipient": client.get(f"/gestion/destinataires/{listed[0]}").text,
        "waiting": client.get(f"/gestion/destinataires/{listed[1]}").text,
    }
    lift(site)
    pages["none"] = client.get(PAGE).text
    assert_good_pages({name: (html, "fr") for name, html in pages.items()})
