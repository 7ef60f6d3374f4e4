"""Tallies equal the responses at any moment: added, taken away, rebuilt."""

from __future__ import annotations

import datetime as dt
import random
import threading
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask

from analysis.wave_report import WaveSettings, build_wave_report
from survey_app.database import db, write_connection
from survey_app.models import ResponseSetAside, TallyCell
from survey_app.responses import tallies
from survey_app.responses.counts import cells, fieldwork, responses, review_list, verbatims
from survey_app.responses.intake import judge_waiting
from survey_app.responses.set_aside import DecisionError, reinstate, set_aside
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, NOW, QUESTIONNAIRE, TABLET, WAVE, a_record, take

LATER = NOW + dt.timedelta(hours=2)


@pytest.fixture
def wave(database: Flask) -> Flask:
    records.open_a_wave()
    return database


def differences() -> list[tallies.CellKey]:
    with db.engine.connect() as connection:
        return tallies.differences(connection, WAVE)


def counted() -> int:
    assert differences() == []
    return sum(int(cell.vector[0]) for cell in cells(WAVE))


def several(number: int, **kwargs: Any) -> list[str]:
    ids = [take(a_record(**kwargs)).id for _ in range(number)]
    judge_waiting(now=LATER)
    return ids


def test_setting_aside_and_reinstating_is_the_identity(wave: Flask) -> None:
    ids = several(3)
    before = cells(WAVE)[0].vector.copy()
    set_aside(ids[1], reason="test", by="référente")
    assert counted() == 2
    assert fieldwork(WAVE).not_counted == {"test": 1}
    reinstate(ids[1], reason="reviewed", by="référente")
    assert np.array_equal(cells(WAVE)[0].vector, before)
    assert counted() == 3


def test_the_same_decision_twice_counts_once_and_is_written_once(wave: Flask) -> None:
    (one,) = several(1)
    for _ in range(3):
        set_aside(one, reason="abuse", by="a", note="insultes")
    assert counted() == 0
    with db.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ResponseSetAside)) == 1


def test_a_response_set_aside_stays_stored(wave: Flask) -> None:
    (one,) = several(1)
    set_aside(one, reason="withdrawn", by="a")
    assert list(responses(WAVE)) == []
    (stored,) = responses(WAVE, counted_only=False)
    assert (stored.record_id, stored.counted, dict(stored.answers)) == (one, False, ANSWERS)


def test_a_response_kept_out_by_its_flags_can_be_counted_by_decision(wave: Flask) -> None:
    burst = take(a_record(), flags=("burst",)).id
    judge_waiting(now=LATER)
    assert counted() == 0
    assert [one.record_id for one in review_list(WAVE)] == [burst]
    reinstate(burst, reason="reviewed", by="a")
    assert counted() == 1


@pytest.mark.parametrize("frame", [{"body": {"practice": True}}, {"questionnaire_digest": "b" * 64}])
def test_what_cannot_be_counted_is_not_counted_by_decision_either(wave: Flask, frame: dict[str, Any]) -> None:
    (one,) = several(1, **frame)
    with pytest.raises(DecisionError, match="ne peut pas être comptée"):
        reinstate(one, reason="reviewed", by="a")
    assert counted() == 0


def test_a_sealed_wave_takes_no_more_decisions(wave: Flask) -> None:
    (one,) = several(1)
    records.change_wave(state="sealed", sealed_at=LATER)
    with pytest.raises(DecisionError, match="scellée"):
        set_aside(one, reason="test", by="a")
    assert counted() == 1


@pytest.mark.parametrize("record_id, reason", [("nobody", "test"), ("", "because")])
def test_a_decision_about_nothing_is_refused(wave: Flask, record_id: str, reason: str) -> None:
    with pytest.raises(DecisionError):
        set_aside(record_id, reason=reason, by="a")


def test_records_of_no_known_wave_have_their_own_review_list(wave: Flask) -> None:
    ids = {take(a_record(wave=wave_id)).id for wave_id in (None, "nowhere")}
    judge_waiting(now=LATER)
    assert {one.record_id for one in review_list(None)} == ids
    assert review_list(WAVE) == []


def test_a_conflict_that_comes_after_the_judgement_is_listed(wave: Flask) -> None:
    disputed, other = several(2)
    assert review_list(WAVE) == []
    take(a_record({"minutes": 1}, record_id=disputed))
    (listed,) = review_list(WAVE)
    assert (listed.record_id, listed.flags, listed.counted) == (disputed, ("conflict",), True)
    assert other != disputed


def test_random_comings_and_goings_keep_tallies_equal_to_responses(wave: Flask) -> None:
    chance = random.Random(20260310)
    ids: list[str] = []
    for step in range(40):
        if not ids or chance.random() < 0.5:
            answers = {**ANSWERS, "courtesy": [chance.choice(["good", "bad", "none"])], "minutes": step}
            credential = chance.choice([TABLET, records.WEBSITE])
            ids.append(take(a_record(answers), credential).id)
            judge_waiting(now=LATER)
        else:
            act = chance.choice([set_aside, reinstate])
            act(chance.choice(ids), reason="reviewed", by="a")
        assert differences() == []
    kept = sum(response.counted for response in responses(WAVE, counted_only=False))
    assert counted() == kept > 0


def test_parallel_judges_and_decisions_lose_no_update(wave: Flask) -> None:
    ids = several(10)
    for _ in range(30):
        take(a_record())

    def decide() -> None:
        with wave.app_context():
            for one in ids:
                set_aside(one, reason="test", by="a")

    def judge() -> None:
        with wave.app_context():
            judge_waiting(now=LATER)

    threads = [threading.Thread(target=work) for work in (decide, judge, judge)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counted() == 30


def test_a_cell_changed_by_hand_is_found_and_rebuilt(wave: Flask) -> None:
    several(2)
    with write_connection() as connection:
        stored = connection.scalar(sa.select(TallyCell.counters)) or b""
        forged = bytes([stored[0] + 1]) + stored[1:]
        connection.execute(sa.update(TallyCell).values(counters=forged))
    assert len(differences()) == 1
    with write_connection() as connection:
        tallies.rebuild(connection, WAVE)
    assert counted() == 2


def test_a_wave_of_two_versions_reads_in_the_current_layout(wave: Flask) -> None:
    several(2)
    smaller = records.a_questionnaire(title="Autre titre", estimated_minutes=3)
    records.change_wave(questionnaire_digest=records.publish(smaller))
    judged = cells(WAVE)
    assert sum(int(cell.vector[0]) for cell in judged) == 2
    report = build_wave_report(smaller, judged, WaveSettings())
    assert report.responses == 2


def test_the_report_of_the_cells_is_the_one_of_the_answers(wave: Flask) -> None:
    several(3)
    take(a_record({**ANSWERS, "courtesy": ["bad"]}), TABLET)
    judge_waiting(now=LATER)
    report = build_wave_report(QUESTIONNAIRE, cells(WAVE), WaveSettings())
    (welcome,) = report.commitments
    assert (welcome.favourable, welcome.base) == (3, 8)


def test_free_texts_come_with_what_may_be_said_around_them(wave: Flask) -> None:
    several(1)
    found = {(text.item, text.text, text.site) for text in verbatims(WAVE)}
    assert found == {("comment", "Très bien.\nMerci", "remote"), ("reasons.other", "autre chose", "remote")}


def test_the_order_of_responses_does_not_tell_the_order_of_arrival(wave: Flask) -> None:
    ids = several(12)
    listed = [response.record_id for response in responses(WAVE)]
    assert listed == sorted(ids)
    assert listed != ids


def test_the_fieldwork_adds_up(wave: Flask) -> None:
    several(2)
    several(1, body={"practice": True})
    several(1, body={"finished_at": None})
    record_id = several(1)[0]
    take(a_record({"minutes": 3}, record_id=record_id))
    take(a_record(body={"complete": False}))
    found = fieldwork(WAVE)
    assert (found.received, found.waiting, found.counted, found.complete) == (6, 1, 4, 4)
    assert (found.practice, found.conflicts, dict(found.flagged)) == (1, 1, {"clock": 1})
