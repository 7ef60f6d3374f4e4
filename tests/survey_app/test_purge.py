"""What is past its term goes, what is not stays, and the figures survive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from analysis.counter_places import ItemPlace
from analysis.display import counted
from analysis.tally import CellLayout
from survey_app.database import Base, db, write_connection, write_transaction
from survey_app.device_models import EnrolmentCode
from survey_app.models import AuditEntry, InboxConflict, InboxRecord, Response, ResponseSetAside, ServerFact
from survey_app.responses import doctor, tallies
from survey_app.responses.counts import cells, responses
from survey_app.responses.intake import judge_waiting
from survey_app.responses.processing_record import UndeclaredTableError, processing_record
from survey_app.responses.purge import ERASED_TEXT, KINDS, purge
from survey_app.responses.set_aside import set_aside
from survey_app.responses.unlinking import FORGOTTEN
from survey_app.settings import RetentionTerms
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, NOW, WAVE, a_record, take

TERMS = RetentionTerms()
CLOSED = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
SEALED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
SECRET = "monsieur Dupont habite ici"


def days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


@pytest.fixture
def wave(database: Flask) -> Flask:
    """Three responses (one set aside, one practice), one conflict, one record of no wave; then sealed."""
    records.open_a_wave()
    first = take(a_record({**ANSWERS, "comment": SECRET, "unknown": SECRET})).id
    take(a_record({"minutes": 1}, record_id=first))
    aside = take(a_record()).id
    take(a_record(body={"practice": True}))
    take(a_record(wave="nowhere"))
    judge_waiting(now=NOW)
    set_aside(aside, reason="test", by="a", now=NOW)
    records.change_wave(state="sealed", closed_at=CLOSED, sealed_at=SEALED)
    return database


def number(model: type[Base], *conditions: sa.ColumnElement[bool]) -> int:
    with db.engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(model).where(*conditions)
        return connection.scalar(query) or 0


def figures() -> list[bytes]:
    return [cell.vector.tobytes() for cell in cells(WAVE)]


def hashes_of_records() -> dict[tuple[str, int], str]:
    """What a resend is recognised by."""
    query = sa.select(InboxRecord.id, InboxRecord.revision, InboxRecord.content_hash)
    with db.engine.connect() as connection:
        return {(row.id, row.revision): row.content_hash for row in connection.execute(query)}


def test_before_the_terms_nothing_goes(wave: Flask) -> None:
    assert set(purge(TERMS, by="cron", now=NOW).values()) == {0}
    assert number(InboxRecord, InboxRecord.envelope.is_(None)) == 0


def test_envelopes_go_after_sealing_and_their_hashes_stay(wave: Flask) -> None:
    before, hashes = figures(), hashes_of_records()
    assert number(InboxRecord, InboxRecord.envelope.is_not(None), InboxRecord.wave_id == WAVE) == 3
    assert number(InboxConflict, InboxConflict.envelope.is_not(None)) == 1
    erased = purge(TERMS, by="cron", now=SEALED + days(TERMS.envelopes_after_sealing))
    assert erased["envelopes_after_sealing"] == 4
    assert number(InboxRecord, InboxRecord.envelope.is_not(None), InboxRecord.wave_id == WAVE) == 0
    assert number(InboxConflict, InboxConflict.envelope.is_not(None)) == 0
    assert hashes_of_records() == hashes
    assert figures() == before


def test_a_record_resent_after_the_purge_still_gets_its_receipt(wave: Flask) -> None:
    raw = a_record()
    records.change_wave(sealed_at=None)
    first = take(raw)
    judge_waiting(now=NOW)
    records.change_wave(sealed_at=SEALED)
    purge(TERMS, by="cron", now=SEALED + days(40))
    assert take(raw) == replace(first, stored_at=FORGOTTEN.isoformat(timespec="microseconds"))


def test_envelopes_of_no_known_wave_go_with_the_free_texts(wave: Flask) -> None:
    purge(TERMS, by="cron", now=NOW + days(TERMS.free_texts_after_closing - 1))
    assert number(InboxRecord, InboxRecord.envelope.is_not(None), InboxRecord.wave_id != WAVE) == 1
    purge(TERMS, by="cron", now=NOW + days(TERMS.free_texts_after_closing))
    assert number(InboxRecord, InboxRecord.envelope.is_not(None), InboxRecord.wave_id != WAVE) == 0


def test_a_waiting_record_keeps_its_envelope(wave: Flask) -> None:
    take(a_record())
    purge(TERMS, by="cron", now=SEALED + days(4000))
    assert number(InboxRecord, InboxRecord.envelope.is_not(None)) == 1


def test_practice_goes_first(wave: Flask) -> None:
    erased = purge(TERMS, by="cron", now=NOW + days(TERMS.practice + 1))
    assert erased["practice"] == 1
    assert number(Response, Response.practice.is_(True)) == 0
    assert number(Response) == 3


def test_free_texts_go_and_the_coded_answers_stay(wave: Flask) -> None:
    before = figures()
    purge(TERMS, by="cron", now=CLOSED + days(TERMS.free_texts_after_closing))
    for response in responses(WAVE, counted_only=False):
        assert response.answers["comment"] == ERASED_TEXT
        assert response.answers["reasons.other"] == ERASED_TEXT
        assert response.answers["courtesy"] == ["good"]
        assert response.other_answers == {}
    assert figures() == before
    with db.engine.connect() as connection:
        assert tallies.differences(connection, WAVE) == []


def test_the_envelopes_of_a_wave_never_sealed_go_with_its_free_texts(wave: Flask) -> None:
    records.change_wave(state="closed", sealed_at=None)
    of_wave = (InboxRecord.envelope.is_not(None), InboxRecord.wave_id == WAVE)
    purge(TERMS, by="cron", now=CLOSED + days(TERMS.free_texts_after_closing - 1))
    assert number(InboxRecord, *of_wave) == 2  # the third was practice, which goes first
    purge(TERMS, by="cron", now=CLOSED + days(TERMS.free_texts_after_closing))
    assert number(InboxRecord, *of_wave) == number(InboxConflict, InboxConflict.envelope.is_not(None)) == 0


@pytest.mark.parametrize(
    "never_closed",
    [{"state": "open", "closed_at": None, "sealed_at": None}, {"closed_at": CLOSED + days(900)}],
)
def test_an_edition_that_nobody_closed_in_time_ends_with_its_last_day(
    wave: Flask, never_closed: dict[str, object]
) -> None:
    records.change_wave(**never_closed)
    last_day = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
    texts, answers = days(TERMS.free_texts_after_closing), days(TERMS.responses_after_closing)
    kept = (InboxRecord.envelope.is_not(None), InboxRecord.wave_id == WAVE)
    purge(TERMS, by="cron", now=last_day + texts)
    assert SECRET in str([one.answers for one in responses(WAVE, counted_only=False)])
    purge(TERMS, by="cron", now=last_day + texts + days(1))
    assert SECRET not in str([one.answers for one in responses(WAVE, counted_only=False)])
    assert number(InboxRecord, *kept) == 0
    purge(TERMS, by="cron", now=last_day + answers + days(1))
    assert number(Response, Response.wave_id == WAVE) == 0


def test_responses_go_and_the_figures_survive(wave: Flask) -> None:
    before = figures()
    purge(TERMS, by="cron", now=CLOSED + days(TERMS.responses_after_closing))
    assert number(Response, Response.wave_id == WAVE) == number(ResponseSetAside) == 0
    assert figures() == before
    assert doctor.rebuild_tallies() == []
    assert figures() == before


def with_another_rule(monkeypatch: pytest.MonkeyPatch, counter: str) -> None:
    """The program counts ``counter`` by another rule from now on: another name, another layout."""
    names = ItemPlace.counter_names

    def renamed(self: ItemPlace) -> Iterator[str]:
        return (name.replace(counter, f"{counter} otherwise") for name in names(self))

    monkeypatch.setattr(ItemPlace, "counter_names", renamed)
    monkeypatch.setattr(tallies, "_layouts", {})


@pytest.mark.parametrize("purged", [True, False])
def test_a_change_of_the_rules_never_makes_figures_read_zero(
    wave: Flask, monkeypatch: pytest.MonkeyPatch, purged: bool
) -> None:
    before = figures()
    if purged:
        purge(TERMS, by="cron", now=CLOSED + days(TERMS.responses_after_closing))
    with_another_rule(monkeypatch, "minutes")
    (cell,) = cells(WAVE)
    layout = CellLayout(records.QUESTIONNAIRE)
    tally = layout.tally(cell.vector, "courtesy")
    assert (int(cell.vector[0]), tally.favourable, tally.base) == (1, 1, 1)
    assert ([cell.vector.tobytes()] == before) is not purged
    stale = {one.code for one in doctor.examine(wave.extensions["survey_settings"]) if one.severity != "ok"}
    assert ("rules" in stale, "tallies" in stale) == (purged, not purged)


def test_an_upgrade_counts_again_at_once_what_it_counts_otherwise(
    wave: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = figures()
    with_another_rule(monkeypatch, "minutes")
    with write_connection() as connection:
        assert tallies.stale_cells(connection, WAVE)
        tallies.refresh_all(connection)
        assert tallies.stale_cells(connection, WAVE) == []
    assert figures() == before


def test_codes_and_old_log_entries_go(wave: Flask) -> None:
    with write_transaction() as session:
        session.add(EnrolmentCode(code_hash="x", name="n", site="hall", expires_at=NOW, created_by="c"))
        session.add(AuditEntry(at=NOW, actor="a", action="b", subject="c"))
    purge(TERMS, by="cron", now=NOW + days(TERMS.enrolment_codes))
    assert (number(EnrolmentCode), number(AuditEntry, AuditEntry.action == "b")) == (0, 1)
    purge(TERMS, by="cron", now=NOW + days(TERMS.audit_entries))
    assert number(AuditEntry, AuditEntry.action == "b") == 0


def test_every_run_is_logged_with_what_it_erased(wave: Flask) -> None:
    purge(TERMS, by="référente", now=SEALED + days(31))
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "purge")).one()
    assert (entry.actor, entry.action, entry.detail["envelopes_after_sealing"]) == ("référente", "purge", 4)


def test_a_dry_run_tells_and_takes_everything_back(wave: Flask) -> None:
    moment = CLOSED + days(5000)
    told = purge(TERMS, by="a", now=moment, dry_run=True)
    assert number(Response) == 4
    assert number(AuditEntry, AuditEntry.action == "purge") == 0
    assert told == purge(TERMS, by="a", now=moment)
    assert number(Response) == 0


def test_after_a_purge_the_tables_refuse_changes_again(wave: Flask) -> None:
    purge(TERMS, by="cron", now=SEALED + days(31))
    assert number(ServerFact, ServerFact.key == "purging") == 0
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(sa.delete(Response))


def test_a_purged_text_is_nowhere_in_the_files_of_sqlite(sqlite_app_database: Flask, tmp_path: Path) -> None:
    records.open_a_wave()
    take(a_record({**ANSWERS, "comment": SECRET}))
    judge_waiting(now=NOW)
    db.session.remove()
    assert any(SECRET.encode() in file.read_bytes() for file in tmp_path.glob("survey.db*"))
    records.change_wave(state="sealed", closed_at=CLOSED, sealed_at=SEALED)
    purge(TERMS, by="cron", now=CLOSED + days(TERMS.free_texts_after_closing + 31))
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.glob("survey.db*"))


def test_the_register_sheet_names_every_term_as_set() -> None:
    terms = RetentionTerms(practice=17, audit_entries=401)
    sheet = processing_record({"controller": "Préfecture de l’Exemple"}, terms)
    assert "Préfecture de l’Exemple" in sheet
    assert "Délégué à la protection des données\u00a0: à compléter" in sheet
    for kind in KINDS:
        assert f"- {kind.title}\u00a0: {counted(getattr(terms, kind.term), 'jour', 'jours')}" in sheet
    assert {kind.term for kind in KINDS} == set(RetentionTerms.__dataclass_fields__)


def test_a_new_table_must_be_declared_in_the_register(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.delitem(processing_record.__globals__["CONTENTS"], "device")
        with pytest.raises(UndeclaredTableError, match="device"):
            processing_record({}, TERMS)
