"""One recipient: the wrong person, or a dead address, still gets a link, by mail or by letter."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from survey_app.audit import latest
from survey_app.database import db, write_transaction
from survey_app.frames.letters import Letter
from survey_app.invitation_models import Invitation, SampledUnit
from survey_app.invitations import links
from survey_app.invitations.objections import add_objection
from survey_app.mailing.texts import INVITATION, REMINDER
from survey_app.staff import letters as staff_letters
from tests.page_checks import assert_good_pages
from tests.survey_app import records
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_mailing_pages import draft, plan_now, send_all
from tests.survey_app.mailing.test_sending import Clock
from tests.survey_app.staff_site import StaffSite, post

SEARCH = f"/gestion/editions/{field.WAVE}/destinataires"


@pytest.fixture
def listed(site: StaffSite, relay: ScriptedRelay, tmp_path: Path) -> list[str]:
    """An open list whose units have a postal address."""
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        numbers = field.open_a_list()
        with write_transaction() as session:
            session.execute(
                sa.update(SampledUnit).values(postal_address="1 place de la Mairie\n79240 L’ABSIE")
            )
        return numbers


def page_of(number: str) -> str:
    return f"/gestion/destinataires/{number}"


def replace_link(client: FlaskClient, number: str, address: str = "") -> str:
    """Another link; what is said."""
    answer = post(client, f"{page_of(number)}/remplacer", {"adresse": address}, page=page_of(number))
    return client.get(page_of(number)).text if answer.status_code == 303 else answer.text


def token_of(site: StaffSite, number: str) -> str:
    with site.database():
        return links.token(db.session.get_one(Invitation, number))


def opens(site: StaffSite, token: str) -> bool:
    with site.database():
        return links.by_token(db.session(), token) is not None


def test_a_recipient_is_found_by_commune_code_or_name(site: StaffSite, listed: list[str]) -> None:
    client = site.client()
    for asked, found in {
        "absie": "L’Absie",
        "79003": "Saint-Aubin-le-Cloud",
        "etre": "Saint-Aubin-le-Cloud",
        "oeuvray": "Œuvray",
    }.items():
        shown = client.get(SEARCH, query_string={"commune": asked}).text
        assert shown.count("/gestion/destinataires/") == 1
        assert found in shown
    assert "Aucun destinataire" in client.get(SEARCH, query_string={"commune": "Niort"}).text
    assert "/gestion/destinataires/" not in client.get(SEARCH).text


def test_a_dead_address_is_replaced_and_the_message_leaves_for_the_new_one(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page, old = site.client(), draft(site), token_of(site, listed[0])
    plan_now(client, page)
    relay.rcpt_replies = ["550 5.1.1 User unknown"]
    clock = Clock()
    send_all(site, clock)
    with site.database():
        refused = field.messages()[0].id
    again = f"{page}/messages/{refused}/renvoyer?essai=1"
    told = post(client, again, page=page)
    assert told.status_code == 422
    assert "n’est pas joignable à cette adresse" in told.text
    assert page_of(listed[0]) in told.text
    with site.database():
        assert field.states() == ["refused", "sent", "sent"]
    assert "Un nouveau lien remplace l’ancien" in replace_link(client, listed[0], "nouvelle@commune.fr")
    assert not opens(site, old)
    assert opens(site, token_of(site, listed[0]))
    post(client, again, page=page)
    send_all(site, clock)
    assert relay.accepted[-1].recipients == ["nouvelle@commune.fr"]
    with site.database():
        assert "link-reissued" in [entry.action for entry in latest(5)]


def test_of_all_that_was_refused_only_what_is_still_wanted_leaves_again(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page = site.client(), draft(site)
    plan_now(client, page)
    relay.rcpt_replies = ["550 5.1.1 User unknown", "554 5.7.1 Relay access denied"]
    clock = Clock()
    send_all(site, clock)
    post(client, f"{page}/refuses", page=page)
    assert "1 message repart" in client.get(page).text
    send_all(site, clock)
    with site.database():
        assert field.states() == ["refused", "sent", "sent"]
    assert post(client, f"{page}/refuses", page=page).status_code == 422


def test_a_message_is_decided_under_its_own_mailing_alone(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, page, other = site.client(), draft(site), draft(site, REMINDER)
    plan_now(client, page)
    relay.rcpt_replies = ["554 5.7.1 Relay access denied"]
    send_all(site)
    with site.database():
        refused = field.messages()[0].id
    assert post(client, f"{other}/messages/{refused}/renvoyer", page=page).status_code == 404
    with site.database():
        assert field.states()[0] == "refused"


def test_the_wrong_person_is_replaced_by_the_right_one_and_is_reminded(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    with site.database():
        field.change_invitation(listed[0], state="wrong_person")
    client = site.client()
    replace_link(client, listed[0], "bonne@commune.fr")
    plan_now(client, draft(site, REMINDER))
    send_all(site)
    assert ["bonne@commune.fr"] in [one.recipients for one in relay.accepted]


def test_a_link_that_is_taken_back_opens_nothing_and_gets_no_mail(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    client, old = site.client(), token_of(site, listed[0])
    post(client, f"{page_of(listed[0])}/retirer", page=page_of(listed[0]))
    shown = client.get(page_of(listed[0])).text
    assert "Lien retiré" in shown
    assert "/retirer" not in shown
    assert not opens(site, old)
    plan_now(client, draft(site, INVITATION))
    send_all(site)
    assert len(relay.accepted) == 2


def test_whoever_objects_gets_no_new_link_but_whoever_follows_does(
    site: StaffSite, listed: list[str]
) -> None:
    with site.database():
        field.change_invitation(listed[0], state="objected")
        with write_transaction() as session:
            add_objection(session, links.address_hash("mairie2@commune.test"), origin="link")
    client = site.client()
    for address in ("", "Mairie2@commune.test "):
        assert "s’oppose à tout envoi" in replace_link(client, listed[0], address)
    assert "Un nouveau lien" in replace_link(client, listed[0], "autre@commune.fr")


def test_a_wrong_address_an_answer_and_a_closed_edition_are_refused_with_the_reason(
    site: StaffSite, listed: list[str]
) -> None:
    client = site.client()
    told = replace_link(client, listed[0], "personne")
    assert "n’est pas une adresse de courriel" in told
    assert 'value="personne"' in told
    answered, closed = page_of(listed[0]), page_of(listed[1])
    forms = client.get(answered).text
    assert "/remplacer" in forms
    with site.database():
        field.change_invitation(listed[0], state="answered")
    assert "/remplacer" not in client.get(answered).text
    for act in ("remplacer", "retirer"):
        assert post(client, f"{answered}/{act}", page=closed).status_code == 422
    assert client.get(f"{answered}/lettre.pdf").status_code == 422
    with site.database():
        records.change_wave(state="closed")
    assert "L’édition est close" in client.get(closed).text
    for act in ("remplacer", "retirer"):
        assert post(client, f"{closed}/{act}", page="/gestion/comptes").status_code == 422
    assert client.get(f"{closed}/lettre.pdf").status_code == 422
    assert client.get(page_of("x")).status_code == 404


def test_one_letter_is_printed_and_whoever_no_mail_reaches_is_among_the_letters(
    site: StaffSite, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[str]] = []

    def draw(letters: list[Letter], *_: object) -> bytes:
        drawn.append([one.url for one in letters])
        return b"%PDF"

    monkeypatch.setattr(staff_letters, "letters_pdf", draw)
    client, everybody = site.client(), f"/gestion/editions/{field.WAVE}/lettres.pdf"
    assert client.get(everybody).status_code == 422
    with site.database():
        field.change_invitation(listed[1], state="unreachable")
    assert client.get(everybody).status_code == 200
    assert client.get(f"{page_of(listed[1])}/lettre.pdf").status_code == 200
    link = f"{field.PUBLIC}/r/{token_of(site, listed[1])}"
    assert drawn == [[link], [link]]


def test_the_pages_of_recipients_are_good_pages(site: StaffSite, listed: list[str]) -> None:
    client = site.client()
    pages = {
        "search": client.get(SEARCH).text,
        "found": client.get(SEARCH, query_string={"commune": "7900"}).text,
        "none": client.get(SEARCH, query_string={"commune": "Niort"}).text,
        "waiting": client.get(page_of(listed[0])).text,
        "nobody": client.get(page_of(listed[2])).text,
        "wrong": replace_link(client, listed[0], "personne"),
    }
    with site.database():
        field.change_invitation(listed[0], state="answered")
    pages["answered"] = client.get(page_of(listed[0])).text
    assert_good_pages({name: (html, "fr") for name, html in pages.items()})
