"""Who gives the reference of the page « Merci » can have the answers erased: number and hash are left."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import db
from survey_app.models import AuditEntry, InboxConflict, InboxRecord, Response, ServerFact
from survey_app.responses import tallies
from survey_app.responses.counts import cells
from survey_app.responses.erasing import erase
from survey_app.responses.intake import judge_waiting
from survey_app.responses.purge import ERASED_TEXT
from survey_app.responses.set_aside import DecisionError, set_aside
from survey_app.responses.unlinking import FORGOTTEN
from survey_app.responses.variants import count_apart, variants
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, NOW, WAVE, a_record, take


@pytest.fixture
def mine(database: Flask) -> str:
    """My record, among another's."""
    records.open_a_wave()
    take(a_record())
    number = take(a_record()).id
    judge_waiting(now=NOW)
    return number


def counted() -> int:
    return sum(int(cell.vector[0]) for cell in cells(WAVE))


def row_of(record_id: str) -> InboxRecord:
    db.session.rollback()
    return db.session.scalars(sa.select(InboxRecord).where(InboxRecord.id == record_id)).one()


def test_an_erased_response_counts_no_more_and_leaves_a_number_and_a_hash(mine: str) -> None:
    assert counted() == 2
    assert erase(mine, by="référente", wave_id=WAVE)
    assert counted() == 1
    with db.engine.connect() as connection:
        assert tallies.differences(connection, WAVE) == []
    assert db.session.scalars(sa.select(Response.record_id)).all() != [mine]
    row = row_of(mine)
    assert (row.envelope, row.received_at) == (None, FORGOTTEN)
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.actor, entry.subject) == ("response-erased", "référente", mine)
    assert db.session.get(ServerFact, "purging") is None


def test_an_erased_response_that_comes_again_is_not_counted_again(database: Flask) -> None:
    records.open_a_wave()
    raw = a_record()
    number = take(raw).id
    judge_waiting(now=NOW)
    erase(number, by="référente", wave_id=WAVE)
    assert not take(raw).conflict
    assert judge_waiting(now=NOW) == 0
    assert counted() == 0
    assert db.session.scalars(sa.select(Response)).all() == []


def test_a_response_that_was_set_aside_is_taken_out_of_the_counters_once(mine: str) -> None:
    set_aside(mine, reason="withdrawn", by="référente", now=NOW)
    erase(mine, by="référente", wave_id=WAVE)
    assert counted() == 1


def test_in_a_sealed_edition_texts_and_sending_go_and_the_figures_stand(mine: str) -> None:
    records.change_wave(state="sealed", closed_at=NOW, sealed_at=NOW)
    assert erase(mine, by="référente", wave_id=WAVE) is False
    response = db.session.scalars(sa.select(Response).where(Response.record_id == mine)).one()
    assert (response.answers["comment"], response.answers["courtesy"]) == (ERASED_TEXT, ["good"])
    assert (counted(), row_of(mine).envelope) == (2, None)


def test_contents_counted_apart_are_erased_with_their_sending(mine: str) -> None:
    take(a_record({**ANSWERS, "comment": "moi"}, record_id=mine))
    (variant,) = variants(WAVE)
    count_apart(variant.content_hash, by="référente", now=NOW)
    assert counted() == 3
    erase(variant.own_number, by="référente", wave_id=WAVE)
    assert counted() == 2
    assert db.session.scalars(sa.select(InboxConflict.envelope)).all() == [None]
    assert row_of(mine).envelope is not None


def test_a_number_of_another_edition_erases_nothing(mine: str) -> None:
    with pytest.raises(DecisionError, match="Aucune réponse de cette édition"):
        erase(mine, by="référente", wave_id="autre-2026")
    assert counted() == 2
