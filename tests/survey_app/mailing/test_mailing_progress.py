"""A mailing while it leaves, as staff follow it: stopped, resumed, decided; who sees which numbers."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from survey_app.clock import utc_now
from survey_app.database import db
from survey_app.invitation_models import Mailing
from survey_app.mailing import lease
from survey_app.mailing.texts import INVITATION, REMINDER
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_bounces import came_back
from tests.survey_app.mailing.test_mailing_pages import LIST, draft, plan_now, send_all
from tests.survey_app.mailing.test_sending import Clock
from tests.survey_app.staff_site import StaffSite, form_token, post


def test_an_envoi_is_stopped_and_resumed(site: StaffSite, listed: list[str], relay: ScriptedRelay) -> None:
    client, page = site.client("director"), draft(site)
    plan_now(client, page)
    post(client, f"{page}/arreter", page=page)
    send_all(site)
    assert relay.accepted == []
    post(client, f"{page}/reprendre", page=page)
    assert post(client, f"{page}/reprendre", page=page).status_code == 422
    send_all(site)
    assert len(relay.accepted) == 3


def test_uncertain_messages_are_shown_and_decided_by_the_referent(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page = site.client(), draft(site)
    plan_now(client, page)
    relay.hang_up_after_data = 2
    clock = Clock()
    send_all(site, clock)
    assert "2 messages incertains attendent votre décision." in client.get(LIST).text
    shown = client.get(page).text
    assert "personne ne sait si le message est arrivé" in shown
    again = re.findall(r"[^\"]+/messages/\d+/renvoyer\?essai=1", shown)
    assert len(again) == 2
    arrived = again[0].replace("renvoyer", "arrive")
    assert post(client, arrived.partition("?")[0], page=page).status_code == 422  # about no try at all
    assert post(client, arrived.replace("essai=1", "essai=2"), page=page).status_code == 422
    assert post(client, arrived, page=page).status_code == 303
    assert post(client, again[1], page=page).status_code == 303
    assert post(client, again[0], page=page).status_code == 422
    send_all(site, clock)
    assert len(relay.accepted) == 4
    with site.database():
        assert field.states() == ["sent"] * 3


def test_all_that_a_relay_refused_leaves_again_once_it_is_mended(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page = site.client(), draft(site)
    plan_now(client, page)
    relay.rcpt_replies = ["554 5.7.1 Relay access denied"] * 3
    send_all(site)
    with site.database():
        assert field.states() == ["refused"] * 3
    assert "Renvoyer tous les refusés" in client.get(page).text
    post(client, f"{page}/refuses", page=page)
    assert post(client, f"{page}/refuses", page=page).status_code == 422
    send_all(site)
    with site.database():
        assert field.states() == ["sent"] * 3


def test_a_relay_in_trouble_is_told_while_something_should_leave(site: StaffSite, listed: list[str]) -> None:
    page = draft(site)
    with site.database(), db.session() as session:
        lease.note_trouble(session, "Le relais (127.0.0.1, port 25) ne répond pas.", utc_now())
        session.commit()
    told = "Le relais (127.0.0.1, port 25) ne répond pas."
    director = site.client("director")
    assert told not in director.get(LIST).text
    plan_now(director, page)
    assert told in director.get(LIST).text
    assert told in director.get(page).text


def test_the_first_page_says_what_waits(site: StaffSite, listed: list[str], relay: ScriptedRelay) -> None:
    page = draft(site)
    client = site.client()
    plan_now(client, page)
    with site.database(), db.session() as session:
        lease.note_trouble(session, "x", utc_now())
        session.commit()
    assert "les courriels ne partent plus" in site.client("director").get("/gestion/").text
    relay.hang_up_after_data = 1
    clock = Clock()
    send_all(site, clock)
    assert "1 message incertain est à décider." in client.get("/gestion/").text
    assert "incertain" not in site.client("director").get("/gestion/").text


def test_messages_that_came_back_are_uploaded(site: StaffSite, listed: list[str]) -> None:
    client, page = site.client(), draft(site)
    plan_now(client, page)
    send_all(site)
    with site.database():
        raw = came_back("orange_dead", field.messages()[0].return_tag)
    address = f"/gestion/editions/{field.WAVE}/retours"

    def upload(chosen: list[tuple[io.BytesIO, str]]) -> str:
        data = {"bounces": chosen, "csrf_token": form_token(client.get(LIST).text)}
        return client.post(address, data=data, content_type="multipart/form-data", follow_redirects=True).text

    outlook = io.BytesIO(bytes.fromhex("d0cf11e0a1b11ae1"))
    shown = upload([(io.BytesIO(b"x"), "autre.txt"), (outlook, "avis.msg"), (io.BytesIO(raw), "retour.eml")])
    assert "1 message lu. Adresse morte\u00a0: 1." in shown
    assert "autre.txt" in shown
    assert "avis.msg" in shown
    assert "format .msg" in shown
    assert "1 message lu. Déjà connu\u00a0: 1." in upload([(io.BytesIO(raw), "retour.eml")])
    assert "Choisissez un fichier" in upload([(io.BytesIO(b""), "")])
    assert "550 5.1.1" in client.get(page).text


@pytest.mark.abuse("AC-26")
@pytest.mark.parametrize("kind", [INVITATION, REMINDER])
def test_names_and_small_numbers_of_who_is_asked_are_for_the_referent_alone(
    site: StaffSite, listed: list[str], relay: ScriptedRelay, kind: str
) -> None:
    page = draft(site, kind)
    with site.database():
        field.change_invitation(listed[0], state="answered")
    director, referent = site.client("director"), site.client()
    plan = director.get(f"{page}/programmer").text
    assert "réservés à la personne référente" in plan
    for told in ("Saint-Aubin-le-Cloud", "commune.test", "a déjà répondu", "2 élus"):
        assert told not in plan
    assert "Saint-Aubin-le-Cloud" in referent.get(f"{page}/programmer").text
    preview = director.get(f"{page}/apercu?destinataire={listed[1]}").text
    assert "Commune-Exemple" in preview
    assert "Saint-Aubin-le-Cloud" not in preview
    plan_now(referent, page)
    with site.database():
        field.change_invitation(listed[1], state="answered")
    relay.rcpt_replies = ["550 5.1.1 nobody"]
    send_all(site)
    assert "réservés à la personne référente" in director.get(page).text
    assert "Œuvray" not in director.get(page).text
    assert "Œuvray" in referent.get(page).text


@pytest.mark.abuse("AC-26")
@pytest.mark.parametrize("answered", [2, 14], ids=["few have answered", "few have not"])
def test_neither_side_of_a_small_split_is_told_to_the_director(
    site: StaffSite, relay: ScriptedRelay, tmp_path: Path, answered: int
) -> None:
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        for number in field.open_a_list(field.many(16))[:answered]:
            field.change_invitation(number, state="answered")
    page, director = draft(site, INVITATION), site.client("director")
    told = [director.get(f"{page}/programmer").text]
    progress = plan_now(director, page)
    told.append(director.get(progress).text)
    send_all(site)
    told.append(director.get(progress).text)
    for text in told:
        assert "réservés à la personne référente" in text
        assert not re.search(rf"\b({answered}|{16 - answered})\b (messages?|élus?)\b|<dd>\d+</dd>", text)


def test_large_groups_are_told_to_the_director(site: StaffSite, relay: ScriptedRelay, tmp_path: Path) -> None:
    """The control of the two before."""
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        for number in field.open_a_list(field.many(22))[:11]:
            field.change_invitation(number, state="answered")
    page, director = draft(site, INVITATION), site.client("director")
    assert "11 élus recevraient ce message" in director.get(f"{page}/programmer").text
    progress = plan_now(director, page)
    assert "11 messages" in director.get(progress).text
    send_all(site)
    assert "<dt>Remis au relais</dt><dd>11</dd>" in director.get(progress).text


def test_nothing_of_a_mailing_is_found_under_another_number(site: StaffSite, listed: list[str]) -> None:
    client, page = site.client(), draft(site)
    for address in (
        "/gestion/envois/99",
        f"{page}/apercu?destinataire=x",
        f"{page}/apercu/page?destinataire=x",
    ):
        assert client.get(address).status_code == 404
    plan_now(client, page)
    assert client.get(f"{page}/programmer").status_code == 404
    with site.database():
        assert db.session.get_one(Mailing, int(page.rpartition("/")[2])).state == "scheduled"
