"""A copy put back undoes nothing that was decided since it was made."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app import backups, cli, migrations
from survey_app.backups import restoring
from survey_app.backups.carrying_over import Decisions
from survey_app.commands.surroundings import application
from survey_app.database import db, write_transaction
from survey_app.device_models import Device
from survey_app.invitation_models import (
    Invitation,
    Mailing,
    MailMessage,
    Objection,
    SampledUnit,
    SamplingFrame,
)
from survey_app.models import AuditEntry, InboxRecord, Response, User
from survey_app.responses.erasing import erase
from survey_app.responses.intake import judge_waiting
from tests.survey_app import records
from tests.survey_app.records import NOW, WAVE, a_record, take
from tests.survey_app.tablet_chains import a_device
from tests.survey_app.test_backups import programs_of_postgresql, restore

__all__ = ["programs_of_postgresql"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the copies go."""
    return tmp_path / "backups"


def copy(folder: Path) -> Path:
    return backups.backup(folder, by="tests").path


def change(statement: sa.Update | sa.Insert) -> None:
    with write_transaction() as transaction:
        transaction.execute(statement)


def revoke(device: str) -> None:
    change(sa.update(Device).where(Device.id == device).values(state="revoked", revoked_at=NOW))


def test_a_tablet_enrolled_since_the_copy_stays_known_and_can_send_again_what_it_kept(
    database: Flask, folder: Path
) -> None:
    made = copy(folder)
    new, revoked = a_device("Accueil-3"), a_device("Volée", state="revoked", revoked_at=NOW)
    carried_over = restore(made).carried_over
    assert pairs(sa.select(Device.id, Device.state)) == {new: "enrolled", revoked: "revoked"}
    assert carried_over.changed == {"tablettes inscrites": 2}


def account(email: str, *, active: bool = True) -> None:
    with write_transaction() as transaction:
        transaction.add(User(email=email, active=active, fs_uniquifier=email))


def pairs(query: sa.Select[*tuple[Any, ...]]) -> dict[str, Any]:
    return {one: other for one, other in db.session.execute(query)}


def test_a_tablet_revoked_since_the_copy_stays_revoked(database: Flask, folder: Path) -> None:
    stolen, ours = a_device("Volée"), a_device("La nôtre")
    made = copy(folder)
    revoke(stolen)
    restored = restore(made)
    states = pairs(sa.select(Device.id, Device.state))
    assert states == {stolen: "revoked", ours: "enrolled"}
    assert restored.carried_over.changed == {"tablettes révoquées": 1}
    log = db.session.scalars(sa.select(AuditEntry.detail).where(AuditEntry.action == "restored")).one()
    assert log["again"] == {"tablettes révoquées": 1}


def test_without_it_the_stolen_tablet_would_be_in_service_again(
    database: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stolen = a_device("Volée")
    made = copy(folder)
    revoke(stolen)
    monkeypatch.setattr(restoring, "decisions_of", lambda _: Decisions())
    restore(made)
    assert db.session.get_one(Device, stolen).state == "enrolled"


def test_a_closed_account_stays_closed_and_an_objection_stands(database: Flask, folder: Path) -> None:
    account("parti@prefecture.test")
    account("present@prefecture.test")
    made = copy(folder)
    change(sa.update(User).where(User.email == "parti@prefecture.test").values(active=False))
    change(sa.insert(Objection).values(address_hash="a" * 64, since=NOW.date(), origin="link"))
    restore(made)
    active = pairs(sa.select(User.email, User.active))
    assert active == {"parti@prefecture.test": False, "present@prefecture.test": True}
    assert db.session.scalars(sa.select(Objection.address_hash)).all() == ["a" * 64]
    restore(made, dt.datetime.now(dt.UTC))  # what was carried over once is carried over again
    assert len(db.session.scalars(sa.select(Objection)).all()) == 1


def mails(states: Sequence[str]) -> list[str]:
    """One mailing of messages in these states; their numbers."""
    now = {"created_at": NOW, "created_by": "t"}
    with write_transaction() as transaction:
        frame = SamplingFrame(
            title="l", source="s", source_date=NOW.date(), file_name="f", file_hash="0" * 64,
            imported_at=NOW, imported_by="t",
        )  # fmt: skip
        mailing = Mailing(wave_id=WAVE, kind="invitation", subject="s", body="b", **now)
        transaction.add_all([frame, mailing])
        transaction.flush()
        for number, state in enumerate(states):
            unit = SampledUnit(
                frame_id=frame.id, line=number, authority_kind="commune", authority_code=str(number),
                authority_name="c", office="mayor",
            )  # fmt: skip
            transaction.add(unit)
            transaction.flush()
            invitation = Invitation(wave_id=WAVE, unit_id=unit.id, stratum="all", token_hash=str(number))
            transaction.add(invitation)
            transaction.flush()
            transaction.add(
                MailMessage(
                    mailing_id=mailing.id, invitation_id=invitation.id, state=state,
                    message_id=f"m{number}", return_tag=f"t{number}", changed_at=NOW,
                )
            )  # fmt: skip
    return [f"m{number}" for number in range(len(states))]


def test_a_mail_that_left_since_the_copy_does_not_leave_again(database: Flask, folder: Path) -> None:
    records.open_a_wave()
    sent, halfway, waiting = mails(["queued", "queued", "queued"])
    made = copy(folder)
    for number, state in ((sent, "sent"), (halfway, "sending")):
        change(sa.update(MailMessage).where(MailMessage.message_id == number).values(state=state))
    restore(made)
    states = pairs(sa.select(MailMessage.message_id, MailMessage.state))
    assert states == {sent: "sent", halfway: "uncertain", waiting: "queued"}


def test_an_erased_answer_that_its_tablet_sends_again_is_not_counted_again(
    database: Flask, folder: Path
) -> None:
    records.open_a_wave()
    made = copy(folder)
    raw = a_record()
    number = take(raw).id
    judge_waiting(now=NOW)
    erase(number, by="référente", wave_id=WAVE)
    restored = restore(made)
    assert not take(raw).conflict
    judge_waiting(now=NOW)
    assert db.session.scalars(sa.select(Response)).all() == []
    assert restored.carried_over.erase_again == []
    assert db.session.scalars(sa.select(InboxRecord.envelope)).all() == [None]


def test_a_copy_of_an_older_schema_is_told_what_it_can_hold(database: Flask, folder: Path) -> None:
    migrations.downgrade(db.engine, "0002")  # no surveys by link, no battery of a tablet
    made = copy(folder)
    migrations.upgrade(db.engine)
    new = a_device("Accueil-3", pin_failures=3)
    change(sa.insert(Objection).values(address_hash="a" * 64, since=NOW.date(), origin="link"))
    restored = restore(made)
    assert restored.is_older
    assert restored.carried_over.changed == {"tablettes inscrites": 1}
    migrations.upgrade(db.engine)
    assert pairs(sa.select(Device.id, Device.name)) == {new: "Accueil-3"}


def test_an_erased_answer_that_is_in_the_copy_is_named(database: Flask, folder: Path) -> None:
    records.open_a_wave()
    number = take(a_record()).id
    take(a_record())
    judge_waiting(now=NOW)
    made = copy(folder)
    erase(number, by="référente", wave_id=WAVE)
    assert restore(made).carried_over.erase_again == [number]


def test_the_command_says_what_was_carried_over_and_what_is_to_be_done_again(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["database", "upgrade"]) == 0
    with application():
        stolen = a_device("Volée")
        records.open_a_wave()
        number = take(a_record()).id
        judge_waiting(now=NOW)
        made = copy(tmp_path / "backups")
        revoke(stolen)
        erase(number, by="référente", wave_id=WAVE)
    capsys.readouterr()
    assert cli.run(["restore", str(made)]) == 0
    said = capsys.readouterr()
    assert "Repris de la base remplacée\u00a0: tablettes révoquées, 1." in said.out
    assert f"La réponse {number} avait été effacée" in said.err


def test_where_the_replaced_database_cannot_be_read_the_command_says_what_may_have_come_back(
    keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["database", "upgrade"]) == 0
    with application():
        database = Path(str(db.engine.url.database))
        made = copy(tmp_path / "backups")
    database.write_bytes(os.urandom(20_000))
    capsys.readouterr()
    assert cli.run(["restore", str(made)]) == 0
    assert "ce qui a été retiré depuis la sauvegarde est revenu" in capsys.readouterr().err
    assert [*database.parent.glob("*.avant-*")], "what was there is kept, readable or not"
