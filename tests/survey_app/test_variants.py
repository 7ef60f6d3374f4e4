"""What came under a number already taken can be seen by the referent, and counts nowhere."""

from __future__ import annotations

import datetime as dt

from flask import Flask

from survey_app.responses.counts import fieldwork
from survey_app.responses.intake import judge_waiting
from survey_app.responses.purge import purge
from survey_app.responses.variants import variants
from survey_app.settings import RetentionTerms
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, NOW, TABLET, WAVE, a_record, take

LATER = NOW + dt.timedelta(minutes=1)


def test_the_second_contents_are_shown_with_what_they_say_otherwise(database: Flask) -> None:
    records.open_a_wave()
    record_id = take(a_record()).id
    changed = {**ANSWERS, "minutes": 40, "comment": "autre"}
    del changed["recommend"]
    take(a_record(changed, record_id=record_id), now=LATER)
    take(a_record({}, record_id=record_id), TABLET, now=LATER + dt.timedelta(minutes=1))
    judge_waiting(now=LATER)
    stranger, own = variants(WAVE)
    assert (own.record_id, own.received_at, own.same_sender) == (record_id, LATER, True)
    assert own.differences == {"minutes": 40, "comment": "autre", "recommend": None}
    assert stranger.same_sender is False
    assert (fieldwork(WAVE).counted, fieldwork(WAVE).conflicts) == (1, 2)


def test_an_erased_variant_is_listed_without_contents(database: Flask) -> None:
    records.open_a_wave()
    record_id = take(a_record()).id
    take(a_record({}, record_id=record_id))
    judge_waiting(now=LATER)
    records.change_wave(state="closed", closed_at=LATER)
    purge(RetentionTerms(), by="cron", now=LATER + dt.timedelta(days=400))
    (variant,) = variants(WAVE)
    assert (variant.record_id, variant.differences) == (record_id, None)


def test_variants_of_another_wave_are_not_shown(database: Flask) -> None:
    records.open_a_wave()
    record_id = take(a_record(wave="elsewhere")).id
    take(a_record({}, record_id=record_id, wave="elsewhere"))
    assert variants(WAVE) == []
    assert len(variants("elsewhere")) == 1
