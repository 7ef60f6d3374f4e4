"""The key of the links was changed: no link that opens nothing leaves, the pages say it, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from survey_app.clock import utc_now
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation, SampledUnit
from survey_app.invitations import links
from survey_app.invitations.states import KEY_CHANGED, LinkKeyChanged
from survey_app.invitations.transitions import reissue
from survey_app.mailing import lease, planning
from survey_app.mailing.sender import OTHER_KEY, PAUSES, Sender
from survey_app.mailing.texts import INVITATION, REMINDER
from survey_app.responses import link_key
from survey_app.settings import Settings
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_sending import Clock, drain
from tests.survey_app.staff_site import StaffSite, form_token, post

NEW_KEY = "another-key-of-32-characters-xyz"
KEY = "DEVICE_MASTER_KEY"


def prepare(app: Flask) -> list[str]:
    """A list whose links were made, and their key remembered, as `prepare_links` does."""
    numbers = field.open_a_list()
    with write_transaction() as transaction:
        link_key.remember(transaction, app.extensions["survey_settings"].link_key)
    return numbers


def change_key(app: Flask, key: str = NEW_KEY) -> Settings:
    """The settings as the server reads them after somebody changed them."""
    settings: Settings = replace(app.extensions["survey_settings"], device_master_key=key)
    app.extensions["survey_settings"] = settings
    return settings


def trouble() -> str:
    db.session.rollback()
    told = lease.trouble(db.session())
    return told["reason"] if told else ""


def test_under_another_key_every_message_waits_and_with_the_old_one_it_leaves(
    database: Flask, settings: Settings, relay: ScriptedRelay
) -> None:
    prepare(database)
    field.planned()
    clock = Clock()
    assert Sender(change_key(database), clock).step() == PAUSES[0]
    assert (field.states(), [one.attempts for one in field.messages()]) == (["queued"] * 3, [0, 0, 0])
    assert (relay.accepted, relay.conversations) == ([], 0)
    assert trouble() == KEY_CHANGED
    drain(Sender(change_key(database, settings.device_master_key), clock), clock)
    assert (field.states(), trouble()) == (["sent"] * 3, "")
    for one in relay.accepted:
        assert any(links.by_token(db.session(), word.rpartition("/")[2]) for word in words_of(one))


def words_of(mail: object) -> list[str]:
    body = mail.message.get_body(("plain",))  # type: ignore[attr-defined]
    return [word for word in body.get_content().split() if "/r/" in word]


def test_a_single_link_of_another_key_is_refused_and_holds_up_nobody(
    database: Flask, settings: Settings, relay: ScriptedRelay
) -> None:
    """It was handed on while the key was another one: replaced by the referent, it leaves."""
    numbers = prepare(database)
    number = field.planned()
    change_key(database)
    with write_transaction() as transaction:
        links.renew_hashes(transaction.get_one(Invitation, numbers[1]))
    clock, sender = Clock(), Sender(change_key(database, settings.device_master_key))
    drain(sender)
    assert field.states() == ["sent", "refused", "sent"]
    assert field.messages()[1].last_reply == OTHER_KEY
    reissue(numbers[1], actor="test")
    planning.send_refused_again(number, actor="test")
    drain(sender, clock)
    assert (field.states(), len(relay.accepted)) == (["sent"] * 3, 3)


def test_without_the_check_of_the_sender_no_dead_link_leaves_all_the_same(
    database: Flask, settings: Settings, relay: ScriptedRelay
) -> None:
    """Also where nobody remembered the key: each link is compared with the one that is alive."""
    field.open_a_list()
    number = field.planned()
    other = change_key(database)
    drain(Sender(other))
    assert (field.states(), relay.accepted) == (["refused"] * 3, [])
    sender = Sender(change_key(database, settings.device_master_key))
    planning.send_refused_again(number, actor="test")
    drain(sender)
    assert field.states() == ["sent"] * 3


def test_with_neither_check_a_dead_link_leaves(
    database: Flask, settings: Settings, relay: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the checks are what keeps it."""
    prepare(database)
    field.planned()
    monkeypatch.setattr(Sender, "_check_key", lambda _sender: None)
    monkeypatch.setattr(links, "token_hash", lambda _secret: Always())
    drain(Sender(change_key(database)))
    monkeypatch.undo()
    assert len(relay.accepted) == 3
    words = [word for one in relay.accepted for word in words_of(one)]
    assert words
    assert not any(links.by_token(db.session(), word.rpartition("/")[2]) for word in words)


class Always:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


@pytest.fixture
def listed(site: StaffSite, relay: ScriptedRelay, tmp_path: Path) -> list[str]:
    """An open list on the whole application, one of it without e-mail."""
    with site.database():
        field.equip(site.app, relay.port, tmp_path)
        numbers = prepare(site.app)
        with write_transaction() as transaction:
            one = transaction.get_one(Invitation, numbers[0])
            one.email = None
            transaction.get_one(SampledUnit, one.unit_id).postal_address = "Mairie\n79240 L’ABSIE"
        return numbers


def test_the_page_of_the_mails_says_it_and_nothing_is_planned(site: StaffSite, listed: list[str]) -> None:
    client, page = site.client(), f"/gestion/editions/{field.WAVE}/envois"
    with site.database():
        draft = planning.create_mailing(field.WAVE, INVITATION, actor="test").id
    assert KEY not in client.get(page).text  # control
    change_key(site.app)
    assert KEY in client.get(page).text
    plan = f"/gestion/envois/{draft}/programmer"
    assert KEY in client.get(plan).text
    answer = post(client, plan, {"quand": utc_now().strftime("%Y-%m-%dT%H:%M"), "cadence": "30"})
    assert (answer.status_code, KEY in answer.text) == (422, True)
    with site.database():
        assert field.states() == []


def test_a_planned_mailing_waits_and_its_page_says_why(site: StaffSite, listed: list[str]) -> None:
    client = site.client()
    with site.database():
        number = field.planned(REMINDER)
        Sender(change_key(site.app)).step()
    told = client.get(f"/gestion/envois/{number}").text
    assert KEY in told
    assert "Rien n’est perdu" in told
    assert "ne partent plus" in client.get("/gestion/").text


def test_no_letter_is_printed_and_no_link_replaced(site: StaffSite, listed: list[str]) -> None:
    client, letters = site.client(), f"/gestion/editions/{field.WAVE}/lettres.pdf"
    one = f"/gestion/destinataires/{listed[0]}"
    assert client.get(letters).mimetype == "application/pdf"  # control
    change_key(site.app)
    for address in (letters, f"{one}/lettre.pdf"):
        answer = client.get(address)
        assert (answer.status_code, KEY in answer.text) == (422, True)
    with site.database():
        before = db.session.get_one(Invitation, listed[0]).token_hash
    refused = client.post(
        f"{one}/remplacer", data={"csrf_token": form_token(client.get(one).text), "adresse": ""}
    )
    assert (refused.status_code, KEY in refused.text) == (422, True)
    with site.database():
        assert db.session.get_one(Invitation, listed[0]).token_hash == before
        with pytest.raises(LinkKeyChanged):
            links.check_key(db.session())
