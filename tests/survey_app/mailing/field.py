"""A wave by personal link to be mailed to: a list, its invitations, an organisation that is filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from form_definitions.library import FOLDER
from survey_app.clock import today_in_paris, utc_now
from survey_app.database import db, write_transaction
from survey_app.invitation_models import (
    Invitation,
    Mailing,
    MailMessage,
    SampledUnit,
    random_number,
)
from survey_app.invitations.links import renew_hashes
from survey_app.mail_settings import MailSettings
from survey_app.mailing import planning, queue
from survey_app.mailing.texts import INVITATION
from survey_app.settings import Settings
from tests.survey_app import records
from tests.survey_app.frozen_list import a_unit, freeze

WAVE = records.WAVE
SENDER = "enquete@deux-sevres.test"
PUBLIC = "https://enquete.deux-sevres.test"
FILLED = {
    "verification_page": "https://www.deux-sevres.test/enquete-elus",
    "  name": "Hélène D’Aubigné",
    "  title": "Directrice des collectivités locales",
    "  phone": "05 49 00 00 00",
    "data_protection_officer": "dpd@deux-sevres.test",
}
FAST = 6000
Person = tuple[str, str, str, str, str]
"""Civility, first name, last name, office, commune."""
PEOPLE: Sequence[Person] = (
    ("Mme", "Anne-Sophie", "D’Hérouville", "mayor", "L’Absie"),
    ("M.", "Jean-Noël", "Être", "mayor", "Saint-Aubin-le-Cloud"),
    ("", "", "", "mayor", "Œuvray"),
)


def definitions(folder: Path) -> Path:
    """A folder of definitions whose organisation says who signs, and where to check."""
    text = (FOLDER / "organisation.yaml").read_text(encoding="utf-8")
    for key, value in FILLED.items():
        text = text.replace(f"{key}: null", f'{key}: "{value}"')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "organisation.yaml").write_text(text, encoding="utf-8")
    return folder


def mail_settings(port: int, **changes: Any) -> MailSettings:
    """A relay on this port of the machine itself."""
    return MailSettings(
        **{"host": "127.0.0.1", "port": port, "security": "none", "sender": SENDER, **changes}
    )


def equip(app: Flask, port: int, folder: Path, **changes: Any) -> Settings:
    """Give the application under test a relay and an organisation."""
    settings: Settings = app.extensions["survey_settings"]
    settings = replace(
        settings,
        mail=mail_settings(port, **changes),
        public_url=PUBLIC,
        definitions_folder=definitions(folder / "definitions"),
    )
    app.extensions["survey_settings"] = settings
    return settings


def open_a_list(people: Sequence[Person] = PEOPLE, **wave: Any) -> list[str]:
    """An open wave and one invitation for each; their numbers."""
    today = today_in_paris()
    around = {"opens_on": today - dt.timedelta(days=5), "closes_on": today + dt.timedelta(days=20)}
    records.open_a_wave(**{**around, **wave})
    listed = [_unit(line, person) for line, person in enumerate(people, 2)]
    with write_transaction() as session:
        until = today + dt.timedelta(days=400)
        freeze(session, WAVE, listed, unit="person", kinds=[], results_until=until)
        return [_invite(session, unit) for unit in listed]


def _unit(line: int, person: Person) -> SampledUnit:
    civility, first, last, office, commune = person
    return a_unit(
        line,
        authority_name=commune,
        office=office,
        civility=civility,
        first_name=first,
        last_name=last,
        email=f"mairie{line}@commune.test",
        postal_address=None,
    )


def _invite(session: Session, unit: SampledUnit) -> str:
    invitation = Invitation(
        id=random_number(), wave_id=WAVE, unit=unit, stratum="Niort", generation=1, email=unit.email
    )
    renew_hashes(invitation)
    session.add(invitation)
    session.flush()
    return invitation.id


def many(count: int) -> list[Person]:
    """So many mayors."""
    return [("M.", "Jean", f"Martin{n}", "mayor", f"Commune {n}") for n in range(count)]


def planned(kind: str = INVITATION, per_minute: int = FAST, due_at: dt.datetime | None = None) -> int:
    """A mailing of the shipped text, planned for now."""
    mailing = planning.create_mailing(WAVE, kind, actor="test")
    planning.schedule(mailing.id, due_at or utc_now(), per_minute, actor="test")
    return mailing.id


def states() -> list[str]:
    """The state of every message, in the order of their making."""
    with db.engine.connect() as connection:
        return list(connection.scalars(sa.select(MailMessage.state).order_by(MailMessage.id)))


def messages() -> list[MailMessage]:
    """Every message."""
    db.session.rollback()
    return list(db.session.scalars(sa.select(MailMessage).order_by(MailMessage.id)))


def attempt_of(message: MailMessage) -> queue.Attempt:
    """The last try to send it."""
    return queue.Attempt(message.id, message.attempts)


def mailing_state(mailing_id: int) -> str:
    """What a mailing is now."""
    db.session.rollback()
    return db.session.get_one(Mailing, mailing_id).state


def change_invitation(number: str, **values: Any) -> None:
    """As if somebody had answered, declined, …"""
    with write_transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(Invitation, number), name, value)


def change_message(place: int, **values: Any) -> None:
    """The message at this place, changed."""
    number = messages()[place].id
    with write_transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(MailMessage, number), name, value)
