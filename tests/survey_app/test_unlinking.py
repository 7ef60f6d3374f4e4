"""After the term of the envelopes nothing tells when or on which tablet an answer was given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app import audit
from survey_app.database import Base, db, write_connection, write_transaction
from survey_app.device_models import Device
from survey_app.models import AuditEntry, InboxConflict, InboxRecord, Response, ResponseSetAside, Wave
from survey_app.responses import doctor
from survey_app.responses.chains import Chain, chains, devices_of, missing_numbers
from survey_app.responses.intake import judge_waiting
from survey_app.responses.purge import purge
from survey_app.responses.set_aside import set_aside
from survey_app.responses.unlinking import FORGOTTEN
from survey_app.settings import RetentionTerms
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, DEVICE, NOW, TABLET, WAVE, a_record, take

TERMS = RetentionTerms()
SEALED = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
AFTER = SEALED + dt.timedelta(days=TERMS.envelopes_after_sealing)
FIRST = "00000000-0000-4000-8000-000000000001"
SECOND_WAVE = "users-2027"
HEX = "0123456789abcdef"


def from_the_tablet(seq: int, wave: str = WAVE, **frame: Any) -> bytes:
    return a_record(device=DEVICE, seq=seq, prev=HEX * 4, wave=wave, **frame)


@pytest.fixture
def wave(database: Flask) -> Flask:
    """Numbers 1, 2 and 4 of a tablet, the first one as a partial too; one of the website; a variant."""
    records.open_a_wave()
    with write_transaction() as session:
        facts = {"name": "Hall", "site": "hall", "enrolled_at": NOW, "high_seq": 5}
        session.add(Device(id=DEVICE, **facts))
    partial = from_the_tablet(1, record_id=FIRST, body={"complete": False})
    take(partial, TABLET)
    judge_waiting(now=NOW + dt.timedelta(days=1))
    whole = from_the_tablet(1, record_id=FIRST, revision=1)
    for raw in (whole, from_the_tablet(2), from_the_tablet(4)):
        take(raw, TABLET)
    website = take(a_record()).id
    take(a_record({"minutes": 1}, record_id=website))
    judge_waiting(now=NOW + dt.timedelta(days=1))
    records.change_wave(state="sealed", closed_at=SEALED, sealed_at=SEALED)
    return database


def rows(model: type[Base]) -> list[dict[str, Any]]:
    with db.engine.connect() as connection:
        found = connection.execute(sa.select(*model.__table__.columns)).mappings()
        return [dict(row) for row in found]


def values(found: object) -> Iterator[object]:
    """Every value in there, however deep."""
    if isinstance(found, dict | list):
        for one in found.values() if isinstance(found, dict) else found:
            yield from values(one)
    else:
        yield found


def joined_to(record_id: str) -> list[dict[str, Any]]:
    """Every row of every table that names this record."""
    tables = [mapper.class_ for mapper in Base.registry.mappers]
    return [row for table in tables for row in rows(table) if record_id in values(row)]


def chain(wave_id: str | None = None) -> Chain:
    """Nobody goes on reading afterwards: the next purge would wait for them."""
    db.session.rollback()
    try:
        return chains(db.session(), [db.session.get_one(Device, DEVICE)], wave_id=wave_id)[DEVICE]
    finally:
        db.session.rollback()


def test_before_the_term_the_record_of_an_answer_tells_its_tablet(wave: Flask) -> None:
    """Control: the search below finds what there is to find."""
    purge(TERMS, by="cron", now=AFTER - dt.timedelta(days=1))
    assert DEVICE in values(joined_to(FIRST))
    assert NOW in values(joined_to(FIRST))


def test_after_the_term_no_answer_leads_to_its_tablet_or_to_a_time(wave: Flask) -> None:
    purge(TERMS, by="cron", now=AFTER)
    answers = rows(Response)
    assert len(answers) == 5
    for answer in answers:
        left = list(values(joined_to(answer["record_id"])))
        assert {one for one in left if isinstance(one, dt.datetime)} <= {FORGOTTEN}
        assert DEVICE not in left
        assert HEX * 4 not in left


def test_after_the_term_no_variant_leads_to_its_tablet_or_to_a_time(wave: Flask) -> None:
    purge(TERMS, by="cron", now=AFTER)
    (variant,) = rows(InboxConflict)
    assert (variant["device_id"], variant["received_at"]) == (None, FORGOTTEN)


def test_what_the_inbox_keeps_is_the_number_and_the_hash(wave: Flask) -> None:
    purge(TERMS, by="cron", now=AFTER)
    kept = {"id", "revision", "content_hash", "source", "wave_id", "flags"}
    for row in rows(InboxRecord):
        told = {name for name, value in row.items() if value not in (None, FORGOTTEN)}
        assert told == kept


def test_the_numbers_of_the_tablet_stay_complete(wave: Flask) -> None:
    before, of_wave = chain(), chain(WAVE)
    purge(TERMS, by="cron", now=AFTER)
    after = chain()
    assert (after.received, [str(gap) for gap in after.gaps]) == (3, ["3", "5"])
    assert (after, chain(WAVE)) == (replace(before, forks=()), replace(of_wave, forks=()))
    device = db.session.get_one(Device, DEVICE)
    assert missing_numbers(db.session(), device, 5) == [3, 5]
    assert [one.id for one in devices_of(db.session(), db.session.get_one(Wave, WAVE))] == [DEVICE]


def test_the_tablet_goes_on_counting_after_the_term(wave: Flask) -> None:
    purge(TERMS, by="cron", now=AFTER)
    take(from_the_tablet(5, wave=SECOND_WAVE), TABLET)
    assert [str(gap) for gap in chain().gaps] == ["3"]
    assert chain().forks == ()
    assert (chain(WAVE).received, chain(SECOND_WAVE).received) == (3, 1)


def test_a_record_that_comes_again_is_still_one(wave: Flask) -> None:
    raw = from_the_tablet(3)
    records.change_wave(state="open", sealed_at=None)
    first = take(raw, TABLET)
    judge_waiting(now=NOW)
    records.change_wave(state="sealed", sealed_at=SEALED)
    purge(TERMS, by="cron", now=AFTER)
    again = take(raw, TABLET)
    assert (again.id, again.sha256, again.epoch, again.conflict) == (
        first.id,
        first.sha256,
        first.epoch,
        False,
    )
    assert again.stored_at == FORGOTTEN.isoformat(timespec="microseconds")
    assert take(from_the_tablet(9, record_id=first.id), TABLET).conflict
    assert judge_waiting(now=NOW) == 0


def test_a_record_judged_later_than_its_wave_keeps_its_numbers_too(wave: Flask) -> None:
    """What is purged in a second run joins what is there."""
    purge(TERMS, by="cron", now=AFTER)
    take(from_the_tablet(3), TABLET)
    purge(TERMS, by="cron", now=AFTER)
    assert [str(gap) for gap in chain().gaps] == ["5"]
    judge_waiting(now=NOW)
    purge(TERMS, by="cron", now=AFTER)
    purge(TERMS, by="cron", now=AFTER)
    assert (chain().received, [str(gap) for gap in chain().gaps]) == (4, ["5"])


def test_envelopes_erased_by_an_earlier_version_are_unlinked_by_the_next_purge(wave: Flask) -> None:
    with write_connection() as connection:
        connection.exec_driver_sql("INSERT INTO server_fact (key, value) VALUES ('purging', 'x')")
        connection.execute(sa.update(InboxRecord).values(envelope=None))
        connection.exec_driver_sql("DELETE FROM server_fact WHERE key = 'purging'")
    purge(TERMS, by="cron", now=NOW)
    assert {row["received_at"] for row in rows(InboxRecord)} == {FORGOTTEN}


def test_the_log_of_a_rescue_file_forgets_the_numbers_of_its_records(wave: Flask) -> None:
    with write_transaction() as session:
        detail = {"file": HEX * 4, "stored": 2, "records": [FIRST, "another"]}
        audit.record(session, "records-imported", actor="a", subject="Hall", detail=detail)
    purge(TERMS, by="cron", now=AFTER)
    entry = next(row for row in rows(AuditEntry) if row["action"] == "records-imported")
    assert entry["detail"] == {"file": HEX * 4, "stored": 2, "records": ["another"]}


def test_the_decisions_of_people_keep_their_moment(wave: Flask) -> None:
    records.change_wave(state="closed", sealed_at=None)
    set_aside(FIRST, reason="abuse", by="a", now=NOW)
    records.change_wave(state="sealed", sealed_at=SEALED)
    purge(TERMS, by="cron", now=AFTER)
    moments = {row["reason"]: row["at"] for row in rows(ResponseSetAside)}
    assert moments == {"superseded": FORGOTTEN, "abuse": NOW}


def test_what_was_never_backed_up_is_not_called_received_in_1970(wave: Flask) -> None:
    purge(TERMS, by="cron", now=AFTER)
    found = doctor.examine(wave.extensions["survey_settings"], now=AFTER + dt.timedelta(days=9))
    assert not any("1970" in one.message for one in found)


def test_a_record_that_waits_keeps_its_tablet(wave: Flask) -> None:
    take(from_the_tablet(3, body={"answers": dict(ANSWERS)}), TABLET)
    purge(TERMS, by="cron", now=AFTER)
    waiting = [row for row in rows(InboxRecord) if row["judged_at"] is None]
    assert [(row["seq"], row["device_id"]) for row in waiting] == [(3, DEVICE)]
