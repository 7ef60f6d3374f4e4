"""Records become responses and tallies, exactly once; doubtful ones are flagged, never refused."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.counter_places import ALONE, ASSISTED
from analysis.tally import CellLayout
from form_definitions import questionnaire_digest
from survey_app import waves
from survey_app.database import db
from survey_app.models import InboxRecord, Response, TallyCell, Wave
from survey_app.responses import intake, judgement_writing, tallies
from survey_app.responses import set_aside as decisions
from survey_app.responses.counts import cells, fieldwork, responses, review_list
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import open_body
from survey_app.responses.flags import FLAGS
from survey_app.responses.intake import Intake, judge_waiting
from survey_app.responses.set_aside import set_aside
from tests.survey_app import records
from tests.survey_app.records import (
    ANSWERS,
    DIGEST,
    NOW,
    QUESTIONNAIRE,
    TABLET,
    WAVE,
    WEBSITE,
    a_record,
    take,
)

LATER = NOW + dt.timedelta(hours=2)


@pytest.fixture
def wave(database: Flask) -> Flask:
    records.open_a_wave()
    return database


def only_response() -> Any:
    with db.engine.connect() as connection:
        return connection.execute(sa.select(*Response.__table__.columns)).one()


def counted() -> int:
    with db.engine.connect() as connection:
        assert tallies.differences(connection, WAVE) == []
    return sum(int(cell.vector[0]) for cell in cells(WAVE))


def judged(raw: bytes, credential: Credential = WEBSITE, now: dt.datetime = NOW) -> Any:
    take(raw, credential, now)
    assert judge_waiting(now=now) == 1
    return only_response()


def test_a_record_becomes_a_response_and_a_tally(wave: Flask) -> None:
    response = judged(a_record())
    assert response.answers == ANSWERS
    assert response.flags == []
    assert (response.site, response.mode, response.language) == ("remote", "website", "fr")
    assert response.answered_on == dt.date(2026, 3, 10)
    (cell,) = cells(WAVE)
    layout = CellLayout(QUESTIONNAIRE)
    assert layout.tally(cell.vector, "courtesy").favourable == 1
    assert layout.tally(cell.vector, "waiting").favourable == 0
    assert counted() == 1


def test_a_response_says_nothing_of_device_sequence_or_time(wave: Flask) -> None:
    names = set(Response.__table__.columns.keys())
    assert not names & {"device", "device_id", "seq", "prev", "received_at", "finished_at"}
    assert isinstance(judged(a_record(device=records.DEVICE, seq=7), TABLET).answered_on, dt.date)


@pytest.mark.abuse("09")
def test_site_and_mode_come_from_the_credential_never_from_the_body(wave: Flask) -> None:
    response = judged(a_record(body={"site": "remote", "mode": "paper"}), TABLET)
    assert (response.site, response.mode) == ("hall", "tablet")


@pytest.mark.abuse("08")
def test_keys_of_the_body_that_nobody_expects_change_nothing(wave: Flask) -> None:
    expected = {"site", "answers", "language", "complete", "practice"}
    columns = {column.name for column in Response.__table__.columns}
    extra = dict.fromkeys(columns - expected, "forged")
    assert judged(a_record(body=extra)).flags == []
    assert counted() == 1


ODD_ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown option": ({"waiting": ["excellent"]}, "invalid_answer"),
    "a number out of range": ({"minutes": 301}, "invalid_answer"),
    "a number of 2^63": ({"minutes": 2**63}, "invalid_answer"),
    "an unknown item": ({"constructor": ["x"]}, "unknown_answer"),
    "an answer to a note": ({"thanks": "x"}, "unknown_answer"),
    "text beside an option without text": ({"reasons.permit": "x"}, "unknown_answer"),
    "an object for an answer": ({"comment": {"a": [1]}}, "invalid_answer"),
    "a question not asked": ({"visited": ["no"]}, "off_path"),
    "a NUL in a text": ({"comment": "a\x00b"}, "repaired_text"),
    "half an emoji": ({"comment": "bien \ud83d"}, "repaired_text"),
    "a key with a NUL": ({"x\x00": "b"}, "unknown_answer"),
}


@pytest.mark.abuse("06")
@pytest.mark.parametrize("case", ODD_ANSWERS)
def test_an_odd_answer_is_kept_apart_and_the_rest_is_counted(wave: Flask, case: str) -> None:
    change, flag = ODD_ANSWERS[case]
    response = judged(a_record({**ANSWERS, **change}))
    assert flag in response.flags
    assert counted() == 1
    kept = {*response.answers, *response.other_answers}
    assert {name.replace("\x00", "\ufffd") for name in {**ANSWERS, **change}} <= kept


ODD_BODIES = {
    "NaN": b'{"answers":{"minutes":NaN}}',
    "Infinity": b'{"answers":{"minutes":-Infinity}}',
    "a number beyond floats": b'{"answers":{"minutes":1e999}}',
    "duplicate keys": b'{"answers":{"minutes":1,"minutes":2}}',
    "depth 100,000": b'{"answers":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not JSON": b"\x00\xff\xfe",
    "not an object": b"[]",
    "answers that are no object": b'{"answers":[]}',
    "empty": b"",
}


@pytest.mark.abuse("75")
@pytest.mark.parametrize("case", ODD_BODIES)
def test_an_unreadable_body_is_stored_flagged_and_not_counted(wave: Flask, case: str) -> None:
    raw_body = base64.urlsafe_b64encode(ODD_BODIES[case]).rstrip(b"=").decode()
    response = judged(a_record(raw_body=raw_body))
    assert "unreadable_body" in response.flags
    assert counted() == 0
    with db.engine.connect() as connection:
        assert connection.scalar(sa.select(InboxRecord.envelope)) == a_record(
            raw_body=raw_body, record_id=response.record_id
        )


@pytest.mark.abuse("75")
def test_a_number_of_5000_digits_is_one_invalid_answer(wave: Flask) -> None:
    body = b'{"complete":true,"answers":{"waiting":["good"],"minutes":' + b"9" * 5000 + b"}}"
    response = judged(a_record(raw_body=base64.urlsafe_b64encode(body).rstrip(b"=").decode()), now=LATER)
    assert "invalid_answer" in response.flags
    assert response.answers == {"waiting": ["good"]}
    assert counted() == 1


WAVE_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dt.datetime, str, int]] = {
    # wave, frame, body, received, flag, counted
    "an unknown wave": ({}, {"wave": "nowhere"}, {}, NOW, "unknown_wave", 0),
    "no wave": ({}, {"wave": None}, {}, NOW, "unknown_wave", 0),
    "an unknown questionnaire": ({}, {"questionnaire_digest": "b" * 64}, {}, NOW, "unknown_digest", 0),
    "a wave in preparation": ({"state": "draft"}, {}, {}, NOW, "not_yet_open", 0),
    "before the opening day": (
        {"opens_on": dt.date(2026, 3, 11)},
        {},
        {},
        NOW,
        "not_yet_open",
        0,
    ),
    "answered after the last day": (
        {},
        {},
        {"started_at": "2026-04-01T00:00:00+02:00", "finished_at": "2026-04-01T00:03:00+02:00"},
        dt.datetime(2026, 4, 2, tzinfo=dt.UTC),
        "closed_wave",
        0,
    ),
    "answered in time, received after the last day": (
        {},
        {},
        {"finished_at": "2026-03-31T23:59:59+02:00"},
        dt.datetime(2026, 4, 2, tzinfo=dt.UTC),
        "late",
        1,
    ),
    "begun before the closing, finished a minute after it": (
        {"state": "closed", "closed_at": dt.datetime(2026, 3, 10, 14, 59, tzinfo=dt.UTC)},
        {},
        {"started_at": "2026-03-10T15:57:00+01:00", "finished_at": "2026-03-10T16:00:00+01:00"},
        dt.datetime(2026, 3, 10, 16, tzinfo=dt.UTC),
        "late",
        1,
    ),
    "answered some hours after the closing, on the same day": (
        {"state": "closed", "closed_at": dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)},
        {},
        {"finished_at": "2026-03-10T16:00:00+01:00"},
        dt.datetime(2026, 3, 10, 16, tzinfo=dt.UTC),
        "closed_wave",
        0,
    ),
    "answered some minutes before the closing, received after it": (
        {"state": "closed", "closed_at": dt.datetime(2026, 3, 10, 15, 10, tzinfo=dt.UTC)},
        {},
        {"finished_at": "2026-03-10T16:00:00+01:00"},
        dt.datetime(2026, 3, 10, 16, tzinfo=dt.UTC),
        "late",
        1,
    ),
    "received after sealing": (
        {"state": "sealed", "closed_at": NOW, "sealed_at": NOW},
        {},
        {},
        LATER,
        "sealed_wave",
        0,
    ),
    "received at the very moment of sealing": (
        {"state": "sealed", "closed_at": NOW, "sealed_at": LATER},
        {},
        {},
        NOW,
        "sealed_wave",
        0,
    ),
    "a mode not foreseen": ({"modes": ["tablet"]}, {}, {}, NOW, "mode_not_in_wave", 1),
    "a site not foreseen": ({"sites": ["hall"]}, {}, {}, NOW, "site_not_in_wave", 1),
    "a site nobody knows": ({}, {}, {"site": "x" * 5000}, NOW, "unknown_site", 1),
    "a language not foreseen": ({}, {}, {"language": "ar"}, NOW, "language_not_in_wave", 1),
    "a language nobody knows": ({}, {}, {"language": ["fr"]}, NOW, "unknown_language", 1),
    "a clock years ahead": ({}, {}, {"finished_at": "2036-03-10T10:00:00Z"}, NOW, "clock", 1),
    "a clock years behind": ({}, {}, {"finished_at": "1970-01-01T00:00:00Z"}, NOW, "clock", 1),
    "a clock at the end of time": ({}, {}, {"finished_at": "9999-12-31T23:59:59-12:00"}, NOW, "clock", 1),
    "a clock without zone": ({}, {}, {"finished_at": "2026-03-10T10:00:00"}, NOW, "clock", 1),
    "no clock": ({}, {}, {"finished_at": None}, NOW, "clock", 1),
}


def test_a_wave_sealed_between_a_judgement_and_its_writing_keeps_its_figures(
    wave: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(a_record())
    write = judgement_writing.write_judgements

    def sealed_just_before(connection: Any, *arguments: Any) -> int:
        connection.execute(sa.update(Wave).where(Wave.id == WAVE).values(state="sealed", sealed_at=NOW))
        return write(connection, *arguments)

    monkeypatch.setattr(intake, "write_judgements", sealed_just_before)
    judge_waiting(now=LATER)
    assert "sealed_wave" in only_response().flags
    assert counted() == 0


@pytest.mark.abuse("07")
@pytest.mark.parametrize("case", WAVE_CASES)
def test_a_doubtful_record_is_taken_and_flagged(wave: Flask, case: str) -> None:
    changes, frame, body, received, flag, expected = WAVE_CASES[case]
    records.change_wave(**changes)
    response = judged(a_record(body=body, **frame), now=received)
    assert response.flags == [flag]
    assert counted() == expected == (1 if FLAGS[flag].counted else 0)


def test_a_wrong_clock_is_put_right_by_its_known_offset(wave: Flask) -> None:
    ahead = {"finished_at": "2027-03-10T09:00:00Z", "clock_offset_ms": -365 * 86_400_000}
    response = judged(a_record(body=ahead), now=dt.datetime(2026, 3, 12, tzinfo=dt.UTC))
    assert (response.answered_on, response.flags) == (dt.date(2026, 3, 10), [])


def test_midnight_is_that_of_paris(wave: Flask) -> None:
    received = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)
    assert judged(a_record(body={"finished_at": "2026-03-09T23:30:00Z"}), now=received).answered_on.day == 10


def test_an_earlier_version_of_the_wave_is_counted_in_its_own_cell(wave: Flask) -> None:
    newer = records.publish(records.a_questionnaire(title="Nouveau titre"))
    records.change_wave(questionnaire_digest=newer)
    assert judged(a_record()).flags == ["old_digest"]
    assert counted() == 1


def test_a_version_of_another_wave_is_not_counted(wave: Flask) -> None:
    foreign = records.publish(records.a_questionnaire(title="Autre"))
    assert judged(a_record(questionnaire_digest=foreign)).flags == ["digest_not_in_wave"]
    assert counted() == 0


def test_a_revoked_tablet_is_heard_but_not_counted(wave: Flask) -> None:
    revoked = Credential(mode="tablet", device_id=records.DEVICE, site="hall", revoked=True)
    assert judged(a_record(), revoked).flags == ["revoked_device"]
    assert counted() == 0


def test_practice_never_counts(wave: Flask) -> None:
    assert judged(a_record(body={"practice": True})).practice
    assert counted() == 0
    assert fieldwork(WAVE).practice == 1


@pytest.mark.parametrize(
    "said, stored", [(True, True), (False, False), (None, None), ("yes", None), (1, None)]
)
def test_who_was_helped_is_kept_and_counted_as_far_as_the_tablet_says_so(
    wave: Flask, said: object, stored: bool | None
) -> None:
    assert judged(a_record(body={"assisted": said}), TABLET).assisted is stored
    (cell,) = cells(WAVE)
    assert (int(cell.vector[ASSISTED]), int(cell.vector[ALONE])) == (stored is True, stored is False)
    assert [one.assisted for one in responses(WAVE)] == [stored]
    assert counted() == 1


def test_judging_again_changes_nothing(wave: Flask) -> None:
    raw = a_record()
    judged(raw)
    take(raw)
    assert judge_waiting(now=LATER) == 0
    assert counted() == 1


def test_a_finished_record_supersedes_its_partial_whatever_the_order(wave: Flask) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    partial: dict[str, Any] = {"body": {"complete": False}, "revision": 3}
    take(a_record(record_id=one, **partial))
    take(a_record(record_id=two, revision=4))
    judge_waiting(now=LATER)
    assert (fieldwork(WAVE).counted, fieldwork(WAVE).complete) == (2, 1)
    take(a_record(record_id=one, revision=4), now=LATER)
    take(a_record(record_id=two, **partial), now=LATER)
    judge_waiting(now=LATER + dt.timedelta(hours=2))
    assert (counted(), fieldwork(WAVE).complete) == (2, 2)
    assert fieldwork(WAVE).not_counted == {"superseded": 1}


def test_a_partial_waits_for_its_finished_revision(wave: Flask) -> None:
    take(a_record(body={"complete": False}))
    assert judge_waiting(now=NOW) == 0
    assert judge_waiting(now=LATER) == 1
    assert (fieldwork(WAVE).counted, fieldwork(WAVE).complete) == (1, 0)


def test_a_partial_that_the_tablet_ended_itself_waits_for_nobody(wave: Flask) -> None:
    take(a_record(body={"complete": False, "ended": True}))
    assert judge_waiting(now=NOW) == 1
    assert (fieldwork(WAVE).counted, fieldwork(WAVE).complete) == (1, 0)


def test_young_partials_never_hold_up_finished_records(wave: Flask) -> None:
    for _ in range(5):
        take(a_record(body={"complete": False}))
    take(a_record(), now=NOW + dt.timedelta(seconds=1))
    judge = Intake()
    done = [judge.judge_waiting(limit=2, now=NOW + dt.timedelta(minutes=1)) for _ in range(4)]
    assert sum(done) == 1


def test_a_questionnaire_that_discards_partials_makes_no_response_of_them(database: Flask) -> None:
    questionnaire = records.a_questionnaire(partial_policy="discard")
    records.open_a_wave(questionnaire)
    digest = questionnaire_digest(questionnaire)
    take(a_record(body={"complete": False}, questionnaire_digest=digest))
    assert judge_waiting(now=NOW) == 1
    assert list(responses(WAVE, counted_only=False)) == []


WITHDRAWN: dict[str, Any] = {"body": {"complete": False, "withdrawn": True}, "revision": 4}


def test_what_a_person_took_back_is_kept_in_the_inbox_and_is_no_response(wave: Flask) -> None:
    take(a_record({}, **WITHDRAWN), credential=records.TABLET)
    assert judge_waiting(now=NOW) == 1, "nobody waits for its end"
    assert list(responses(WAVE, counted_only=False)) == []
    assert (fieldwork(WAVE).waiting, fieldwork(WAVE).not_counted, fieldwork(WAVE).flagged) == (0, {}, {})


@pytest.mark.parametrize("order", ["draft first", "withdrawal first", "together"])
def test_a_draft_that_was_taken_back_never_counts_whatever_the_order(wave: Flask, order: str) -> None:
    record_id = str(uuid.uuid4())
    draft = a_record(record_id=record_id, revision=3, body={"complete": False})
    withdrawal = a_record({}, record_id=record_id, **WITHDRAWN)
    first, second = (withdrawal, draft) if order == "withdrawal first" else (draft, withdrawal)
    take(first)
    if order != "together":
        judge_waiting(now=LATER)
    take(second, now=LATER if order != "together" else NOW)
    judge_waiting(now=LATER + dt.timedelta(hours=2))
    assert (counted(), fieldwork(WAVE).waiting) == (0, 0)


def test_nobody_else_can_take_an_answer_back(wave: Flask) -> None:
    record_id = str(uuid.uuid4())
    take(a_record(record_id=record_id, revision=3, body={"complete": False}), credential=records.TABLET)
    take(a_record({}, record_id=record_id, **WITHDRAWN))
    judge_waiting(now=LATER)
    assert counted() == 1


def test_a_finished_answer_cannot_be_taken_back(wave: Flask) -> None:
    record_id = str(uuid.uuid4())
    take(a_record(record_id=record_id))
    take(a_record({}, record_id=record_id, **WITHDRAWN))
    judge_waiting(now=LATER)
    assert (counted(), fieldwork(WAVE).not_counted) == (1, {})


def test_a_second_finish_waits_for_review(wave: Flask) -> None:
    record_id = str(uuid.uuid4())
    take(a_record(record_id=record_id))
    take(a_record({"visited": ["no"]}, record_id=record_id, revision=1))
    judge_waiting(now=LATER)
    assert counted() == 1
    assert fieldwork(WAVE).not_counted == {"second_finish": 1}


KILL_POINTS = ["earlier_responses", "insert_responses", "_store", "tallies.apply"]


@pytest.mark.parametrize("step", KILL_POINTS)
def test_a_worker_killed_at_any_step_counts_exactly_once_after_resuming(
    wave: Flask, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    for _ in range(3):
        take(a_record())
    module: Any = tallies if step.startswith("tallies.") else judgement_writing
    name = step.rpartition(".")[2]
    original = getattr(module, name)

    def done_then_killed(*args: Any) -> None:
        original(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, name, done_then_killed)
        with pytest.raises(KeyboardInterrupt):
            judge_waiting(now=LATER)
    assert counted() == 0
    assert judge_waiting(now=LATER) == 3
    assert counted() == 3


def test_a_poison_record_stays_in_the_inbox_and_the_others_pass(
    wave: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = take(a_record()).id
    take(a_record())

    def poisoned(envelope: Any, keys: Any) -> Any:
        if envelope.id == poison:
            raise RuntimeError("a fault of ours")
        return open_body(envelope, keys)

    with monkeypatch.context() as patch:
        patch.setattr("survey_app.responses.judged.open_body", poisoned)
        assert judge_waiting(now=LATER) == 1
    assert judge_waiting(now=LATER + dt.timedelta(hours=2)) == 1
    assert counted() == 2


def test_a_record_that_cannot_be_written_lets_the_others_pass_and_keeps_its_answers_out_of_the_log(
    wave: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poison = take(a_record({**ANSWERS, "comment": "secret"})).id
    take(a_record())
    original = decisions.change

    def poisoned(connection: Any, judgement: Any, sign: int) -> Any:
        if judgement.record_id == poison:
            raise LookupError(f"no place for {judgement.answers}")
        return original(connection, judgement, sign)

    with monkeypatch.context() as patch:
        patch.setattr(judgement_writing, "change", poisoned)
        assert judge_waiting(now=LATER) == 1
    assert "LookupError" in caplog.text
    assert "in poisoned" in caplog.text
    assert "secret" not in caplog.text
    assert judge_waiting(now=LATER) == 1
    assert counted() == 2


def test_a_partial_record_of_a_closed_wave_waits_for_nobody(wave: Flask) -> None:
    take(a_record(body={"complete": False}))
    judge = Intake()
    assert judge.judge_waiting(now=NOW) == 0
    records.change_wave(state="closed", closed_at=NOW + dt.timedelta(minutes=1))
    assert judge.judge_waiting(now=NOW + dt.timedelta(minutes=2)) == 1
    assert counted() == 1


def test_what_came_while_a_wave_was_closed_keeps_its_flag_when_it_opens_again_and_can_be_counted(
    wave: Flask,
) -> None:
    day = dt.timedelta(days=1)
    late = a_record(body={"finished_at": (NOW + day).isoformat()})
    records.change_wave(state="closed", closed_at=NOW)
    take(late, TABLET, NOW + day)
    judge_waiting(now=NOW + 2 * day)
    waves.reopen_wave(WAVE, actor="claire", today=NOW.date())
    again = a_record(body={"finished_at": (NOW + 2 * day).isoformat()}, record_id=str(uuid.uuid4()))
    take(again, TABLET, NOW + 2 * day)
    judge_waiting(now=NOW + 4 * day)
    assert fieldwork(WAVE).not_counted == {"closed_wave": 1}
    assert counted() == 1
    (flagged,) = review_list(WAVE)
    decisions.reinstate(flagged.record_id, reason="other", by="claire")
    assert counted() == 2
    assert [one.flags for one in review_list(WAVE)] == [("closed_wave",)]


STRANGERS = {
    "another tablet": Credential(
        mode="tablet", device_id="00000000-0000-4000-8000-00000000000e", site="hall"
    ),
    "the website": WEBSITE,
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_nobody_takes_over_the_record_of_another_device(wave: Flask, stranger: str) -> None:
    record_id, minute = str(uuid.uuid4()), dt.timedelta(minutes=1)
    take(a_record(record_id=record_id, body={"complete": False}), TABLET)
    judge_waiting(now=LATER)
    take(a_record({}, record_id=record_id, revision=5), STRANGERS[stranger], NOW + minute)
    judge_waiting(now=LATER)
    assert fieldwork(WAVE).not_counted == {"other_device": 1}
    assert counted() == 1
    take(a_record(record_id=record_id, revision=1), TABLET, NOW + 2 * minute)
    judge_waiting(now=LATER)
    assert fieldwork(WAVE).not_counted == {"other_device": 1, "superseded": 1}
    assert fieldwork(WAVE).complete == counted() == 1
    set_aside(record_id, reason="test", by="a")
    assert counted() == 0


def test_a_change_of_counting_rules_rebuilds_the_cells_first(wave: Flask) -> None:
    judged(a_record())
    with db.engine.begin() as connection:
        connection.execute(sa.update(TallyCell).values(layout="old", counters=b"x"))
    take(a_record())
    judge_waiting(now=LATER)
    assert counted() == 2


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MUTATED = st.dictionaries(st.sampled_from([*ANSWERS, "zzz", "reasons.permit"]), JSON_VALUES, max_size=8)


@pytest.mark.abuse("06")
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(bodies=st.lists(MUTATED, min_size=1, max_size=8))
def test_mutated_answers_none_lost_none_invalid_counted(wave: Flask, bodies: list[dict[str, Any]]) -> None:
    before = counted()
    sent = {take(a_record({**ANSWERS, **body})).id for body in bodies}
    assert judge_waiting(now=LATER) == len(bodies)
    mine = [response for response in responses(WAVE, counted_only=False) if response.record_id in sent]
    assert {response.record_id for response in mine} == sent
    assert counted() - before == sum(response.counted for response in mine) == len(bodies)
    for response in mine:
        assert set(response.answers.get("waiting", [])) <= {"good", "bad", "none"}
        assert 0 <= response.answers.get("minutes", 0) <= 300


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(raw=st.binary(max_size=300))
def test_any_bytes_as_a_body_are_stored_and_never_counted_by_accident(wave: Flask, raw: bytes) -> None:
    before = counted()
    record_id = take(a_record(raw_body=base64.urlsafe_b64encode(raw).rstrip(b"=").decode())).id
    judge_waiting(now=LATER)
    (mine,) = [one for one in responses(WAVE, counted_only=False) if one.record_id == record_id]
    assert mine.flags == ("unreadable_body",)
    assert counted() == before


def test_the_questionnaire_digest_of_the_tests_is_the_one_of_the_wave() -> None:
    assert questionnaire_digest(QUESTIONNAIRE) == DIGEST
