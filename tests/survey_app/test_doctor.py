"""The doctor sees what is wrong and says what to do."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from survey_app import audit, migrations, server_facts
from survey_app.database import db, write_connection, write_transaction
from survey_app.device_models import Device
from survey_app.models import TallyCell
from survey_app.responses import doctor
from survey_app.responses.doctor import examine
from survey_app.responses.finding import Finding
from survey_app.responses.intake import judge_waiting
from survey_app.responses.record_keys import held
from survey_app.settings import Settings
from survey_app.settings import testing as settings_for_tests
from tests.survey_app import records
from tests.survey_app.records import DEVICE, NOW, TABLET, WAVE, a_record, take

LATER = NOW + dt.timedelta(hours=3)


@pytest.fixture
def settings(database: Flask) -> Settings:
    records.open_a_wave()
    held().make(NOW)
    found = database.extensions["survey_settings"]
    assert isinstance(found, Settings)
    return found


def trouble(settings: Settings, now: dt.datetime = LATER) -> dict[str, Finding]:
    findings = [finding for finding in examine(settings, now) if finding.severity != "ok"]
    assert all(finding.remedy for finding in findings)
    return {finding.code: finding for finding in findings}


def test_a_healthy_installation_has_no_trouble(settings: Settings) -> None:
    take(a_record(seq=1), TABLET)
    judge_waiting(now=NOW)
    assert trouble(settings) == {}
    codes = {finding.code for finding in examine(settings, LATER)}
    assert {"disk", "schema", "database", "waiting", "tallies"} <= codes


def test_a_tally_that_differs_is_found_and_rebuilt(settings: Settings) -> None:
    take(a_record())
    judge_waiting(now=NOW)
    with write_connection() as connection:
        connection.execute(sa.delete(TallyCell))
    assert set(trouble(settings)) == {"tallies"}
    assert doctor.rebuild_tallies() == [WAVE]
    assert trouble(settings) == {}


def test_records_that_wait_too_long_are_told(settings: Settings) -> None:
    take(a_record())
    assert trouble(settings, NOW) == {}
    assert set(trouble(settings, LATER)) == {"waiting"}


def enrol() -> None:
    """The tablet of these records."""
    with write_transaction() as session:
        session.add(Device(id=DEVICE, name="Accueil-2", site="hall", enrolled_at=NOW))


def test_missing_sequence_numbers_are_told(settings: Settings) -> None:
    enrol()
    for seq in (2, 3, 6):
        take(a_record(seq=seq), TABLET)
    judge_waiting(now=LATER)
    assert trouble(settings)["gaps"].message.endswith("3 envois manquent, numéros 1, 4 à 5.")


def test_a_copied_tablet_is_told(settings: Settings) -> None:
    enrol()
    for _ in range(2):
        take(a_record(seq=1), TABLET)
    judge_waiting(now=LATER)
    assert set(trouble(settings)) == {"forks"}


def test_an_interview_sent_in_two_revisions_is_no_copied_tablet(settings: Settings) -> None:
    enrol()
    record_id = str(uuid.uuid4())
    for revision in (1, 2):
        take(a_record(record_id=record_id, revision=revision, seq=1), TABLET)
    judge_waiting(now=LATER)
    assert "forks" not in trouble(settings)


def test_conflicts_are_told(settings: Settings) -> None:
    record_id = str(uuid.uuid4())
    take(a_record(record_id=record_id))
    take(a_record({}, record_id=record_id))
    judge_waiting(now=LATER)
    assert set(trouble(settings)) == {"conflicts"}


def test_an_old_schema_is_told(settings: Settings) -> None:
    migrations.downgrade(db.engine)
    assert set(trouble(settings)) == {"schema", "unavailable"}


def test_the_schema_of_a_newer_program_is_told_with_another_remedy(settings: Settings) -> None:
    with write_connection() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    (found,) = (finding for finding in examine(settings, LATER) if finding.code == "schema")
    assert "plus récent" in found.remedy


def test_little_space_is_told(settings: Settings, tmp_path: Path) -> None:
    tight = settings_for_tests(
        database_url=settings.database_url, data_folder=tmp_path, minimum_free_bytes=2**60
    )
    assert set(trouble(tight)) == {"disk"}


def test_a_database_that_takes_no_writes_is_told_with_what_to_look_at(settings: Settings) -> None:
    is_sqlite = db.engine.dialect.name == "sqlite"
    read_only = "PRAGMA query_only = ON" if is_sqlite else "SET TRANSACTION READ ONLY"
    event.listen(db.engine, "checkout", lambda connection, *_: connection.execute(read_only))
    found = trouble(settings)["unavailable"]
    assert found.severity == "error"
    assert "Vérifiez l’espace libre, les droits du dossier" in found.remedy
    assert not any("écriture possible" in finding.message for finding in examine(settings, LATER))


def test_an_undeclared_proxy_is_told(settings: Settings, tmp_path: Path) -> None:
    common: dict[str, Any] = {"database_url": settings.database_url, "data_folder": tmp_path}
    public = {**common, "public_url": "https://avis.example.fr"}
    assert set(trouble(settings_for_tests(**public))) == {"proxies"}
    assert trouble(settings_for_tests(**public, trusted_proxies=1)) == {}


def test_a_missing_folder_is_told(settings: Settings, tmp_path: Path) -> None:
    lost = settings_for_tests(database_url="postgresql://x", data_folder=tmp_path / "nowhere")
    assert trouble(lost)["disk"].message.endswith("n’existe pas.")


def test_a_damaged_database_is_told(sqlite_app_database: Flask, tmp_path: Path) -> None:
    records.open_a_wave()
    held().make(NOW)
    for _ in range(200):
        take(a_record())
    settings: Settings = sqlite_app_database.extensions["survey_settings"]
    db.session.remove()
    db.engine.dispose()
    path = tmp_path / "survey.db"
    content = bytearray(path.read_bytes())
    for page in range(len(content) // 4096 - 20, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    assert {"integrity", "unavailable"} & set(trouble(settings))


def test_answers_in_no_backup_are_told_after_two_days_until_one_is_made(
    settings: Settings, tmp_path: Path
) -> None:
    take(a_record())
    judge_waiting(now=LATER)
    assert trouble(settings) == {}
    soon = NOW + dt.timedelta(days=3)
    assert {finding.code for finding in examine(settings, soon) if finding.severity != "ok"} == {"backup"}
    with write_connection() as connection:
        server_facts.write(connection, server_facts.BACKUP_WATERMARK, soon.isoformat())
    assert all(finding.severity == "ok" for finding in examine(settings, soon))


def test_a_copy_that_stayed_on_this_machine_is_told(settings: Settings) -> None:
    """The tablets let go of theirs: with the disk, all would be gone."""
    for elsewhere in (False, True):
        with audit.act() as transaction:
            server_facts.write(transaction, server_facts.BACKUP_WATERMARK, NOW.isoformat())
            audit.record(transaction, "backup", actor="t", subject="c", detail={"elsewhere": elsewhere})
        found = trouble(settings).get("backup_here")
        assert (found is None) == elsewhere


def test_what_the_doctor_says_is_french_in_the_singular_and_the_plural_too(settings: Settings) -> None:
    def told(code: str) -> str:
        return next(finding.message for finding in examine(settings, LATER) if finding.code == code)

    assert told("waiting") == "0 envoi en attente."
    assert told("keys").startswith("1 clé de scellement")
    enrol()
    take(a_record(seq=3), TABLET)
    assert told("waiting").startswith("1 envoi attend, le plus ancien depuis le ")
    assert told("gaps") == "Tablette «\u202fAccueil-2\u202f»\u00a0: 2 envois manquent, numéros 1 à 2."
    assert told("tallies") == "Compteurs égaux aux réponses (1 édition recomptée)."
    assert told("keys").startswith("1 clé de scellement\u202f; ")
    assert not set("{}'") & set(told("database"))


@pytest.mark.parametrize(("state", "act"), [("open", "Fermez-la"), ("closed", "Scellez-la")])
def test_an_edition_that_is_over_and_that_nobody_sealed_is_named(
    settings: Settings, state: str, act: str
) -> None:
    last_day = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
    records.change_wave(state=state)
    assert "unsealed" not in trouble(settings, last_day + dt.timedelta(days=30))
    found = trouble(settings, last_day + dt.timedelta(days=31))["unsealed"]
    assert "2026" in found.message
    assert act in found.remedy
    records.change_wave(state="sealed", sealed_at=last_day)
    assert "unsealed" not in trouble(settings, last_day + dt.timedelta(days=31))
