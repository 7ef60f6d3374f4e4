"""A record that cannot be judged is named, and can be set apart so that its wave can be sealed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, current_app

from survey_app.database import db
from survey_app.models import AuditEntry, InboxRecord
from survey_app.responses import doctor, judged
from survey_app.responses.counts import fieldwork
from survey_app.responses.envelope import open_body
from survey_app.responses.intake import judge_waiting
from survey_app.responses.unjudged import judge_or_set_apart, waiting
from survey_app.waves import WaveError, seal_wave
from tests.survey_app import records
from tests.survey_app.records import NOW, WAVE, a_record, take

CLOSED_AT = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def poison(database: Flask, monkeypatch: pytest.MonkeyPatch) -> str:
    """The number of a record of a closed wave that cannot be judged."""
    records.open_a_wave()
    record_id = take(a_record()).id
    records.change_wave(state="closed", closed_at=CLOSED_AT)

    def poisoned(envelope: Any, keys: Any) -> Any:
        if envelope.id == record_id:
            raise RuntimeError("a fault of ours")
        return open_body(envelope, keys)

    monkeypatch.setattr(judged, "open_body", poisoned)
    return record_id


def test_a_wave_that_cannot_be_sealed_names_what_waits(poison: str) -> None:
    with pytest.raises(WaveError, match=f"1 envoi attend.*{poison[:8]}.*Réponses à revoir"):
        seal_wave(WAVE, actor="a")


def test_the_doctor_names_what_waits(poison: str) -> None:
    found = doctor.examine(current_app.extensions["survey_settings"])
    assert any(poison[:8] in finding.message for finding in found if finding.code == "waiting")


def test_a_record_that_cannot_be_judged_is_set_apart_and_the_wave_is_sealed(poison: str) -> None:
    judge_waiting(now=CLOSED_AT)
    assert [one.record_id for one in waiting(WAVE)] == [poison]
    assert judge_or_set_apart(WAVE, [poison], by="référente") == (0, 1, 0, 0)
    assert waiting(WAVE) == []
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.subject, entry.actor) == ("record-set-apart", poison, "référente")
    assert entry.detail["fault"] == "RuntimeError"
    seal_wave(WAVE, actor="a")
    kept = db.session.scalars(sa.select(InboxRecord).where(InboxRecord.id == poison)).one()
    assert kept.envelope is not None


def test_a_record_that_can_be_judged_is_counted_instead_of_set_apart(poison: str) -> None:
    sound = take(a_record()).id
    assert judge_or_set_apart(WAVE, [sound], by="a") == (1, 0, 0, 0)
    assert [one.record_id for one in waiting(WAVE)] == [poison]
    assert fieldwork(WAVE).counted == 1


def test_records_of_another_wave_are_left_alone(poison: str) -> None:
    assert judge_or_set_apart("another", [poison], by="a") == (0, 0, 0, 0)
    assert len(waiting(WAVE)) == 1
