"""One click in a mail program, or the button of the page: nobody writes to that address again."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from survey_app.clock import utc_now
from survey_app.database import Base, db, write_transaction
from survey_app.invitation_models import Invitation, Objection
from survey_app.invitations import links
from survey_app.mailing import planning
from survey_app.mailing.recipients import OBJECTED, forecast
from survey_app.mailing.sender import Sender
from survey_app.mailing.texts import INVITATION
from survey_app.models import Wave
from tests.page_checks import assert_good_pages
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_sending import drain
from tests.survey_app.staff_site import StaffSite

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def listed(site: StaffSite, relay: ScriptedRelay, tmp_path: Path) -> list[str]:
    """An open list on the whole application."""
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        return field.open_a_list()


def stranger(site: StaffSite) -> FlaskClient:
    """What a provider sends: no cookie, no header of a browser."""
    return site.app.test_client()


def path_of(site: StaffSite, number: str) -> str:
    with site.database():
        address = links.unsubscribe_address(db.session.get_one(Invitation, number))
    assert address.startswith(field.PUBLIC)
    return address.removeprefix(field.PUBLIC)


def content() -> list[str]:
    tables = Base.metadata.sorted_tables
    return [str(sorted(map(repr, db.session.execute(sa.select(*t.columns)).all()))) for t in tables]


@pytest.mark.abuse("AC-12")
def test_looking_changes_nothing_and_shows_the_same_page_for_every_token(
    site: StaffSite, listed: list[str]
) -> None:
    client, path = stranger(site), path_of(site, listed[0])
    with site.database():
        before = content()
    shown = client.get(path)
    unknown = client.get("/r/desinscription/abc")
    assert (shown.status_code, shown.data) == (unknown.status_code, unknown.data)
    assert client.head(path).status_code == 200
    with site.database():
        assert content() == before


def test_one_click_records_a_lasting_objection(site: StaffSite, listed: list[str]) -> None:
    assert stranger(site).post(path_of(site, listed[0]), data=ONE_CLICK).status_code == 200
    with site.database():
        assert db.session.get_one(Invitation, listed[0]).state == "objected"
        kept = db.session.scalars(sa.select(Objection)).one()
        assert (kept.origin, kept.address_hash) == ("one_click", links.address_hash("mairie2@commune.test"))


def test_the_button_of_the_page_does_the_same_twice_without_harm(site: StaffSite, listed: list[str]) -> None:
    client, path = stranger(site), path_of(site, listed[0])
    assert [client.post(path).status_code for _ in range(2)] == [200, 200]
    with site.database():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Objection)) == 1


@pytest.mark.parametrize("kind", ["link", "letter", "cut", "nothing"])
@pytest.mark.abuse("AC-15")
def test_a_token_for_another_purpose_refuses_nothing(site: StaffSite, listed: list[str], kind: str) -> None:
    with site.database():
        invitation = db.session.get_one(Invitation, listed[0])
        whole = links.unsubscribe_token(invitation)
        given = {
            "link": links.token(invitation),
            "letter": links.letter_code(invitation),
            "cut": whole[:-2],
            "nothing": "x",
        }
    answer = stranger(site).post(f"/r/desinscription/{given[kind]}", data=ONE_CLICK)
    assert answer.status_code == 404
    assert "Rien n’a changé" in answer.text
    with site.database():
        assert db.session.scalars(sa.select(Objection)).all() == []


def test_a_page_of_another_site_cannot_press_the_button(site: StaffSite, listed: list[str]) -> None:
    answer = stranger(site).post(path_of(site, listed[0]), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_the_objection_outlasts_the_wave(site: StaffSite, listed: list[str], relay: ScriptedRelay) -> None:
    """A new list with the same address: nothing leaves for it, also when it comes after planning."""
    stranger(site).post(path_of(site, listed[0]), data=ONE_CLICK)
    with site.database():
        with write_transaction() as session:
            for one in session.query(Invitation):
                one.state = "waiting"  # as freshly invited for another wave
        wave = db.session.get_one(Wave, field.WAVE)
        expected = forecast(db.session(), wave, INVITATION)
        assert expected.left_out == [(OBJECTED, 1)]
        field.planned()
    stranger(site).post(path_of(site, listed[1]), data=ONE_CLICK)
    with site.database():
        with write_transaction() as session:
            session.get_one(Invitation, listed[1]).state = "waiting"
        drain(Sender(site.app.extensions["survey_settings"]))
        assert field.states() == ["cancelled", "sent"]
    assert [one.recipients for one in relay.accepted] == [["mairie4@commune.test"]]


def test_officials_who_share_a_mailbox_are_silenced_together(
    site: StaffSite, listed: list[str], relay: ScriptedRelay
) -> None:
    with site.database():
        field.change_invitation(listed[1], email="MAIRIE2@commune.test")
        mailing = planning.create_mailing(field.WAVE, INVITATION, actor="test")
    stranger(site).post(path_of(site, listed[0]), data=ONE_CLICK)
    with site.database():
        assert planning.schedule(mailing.id, utc_now(), 30, actor="test") == 1


def test_the_pages_are_good_pages(site: StaffSite, listed: list[str]) -> None:
    client, path = stranger(site), path_of(site, listed[0])
    pages = {
        "ask": client.get(path).text,
        "done": client.post(path).text,
        "unknown": client.post("/r/desinscription/x").text,
    }
    assert_good_pages({name: (html, "fr") for name, html in pages.items()})
    for html in pages.values():
        assert 'href="/r/donnees/fr"' in html, "the notice of the officials' answers"
        assert "/confidentialite/" not in html
