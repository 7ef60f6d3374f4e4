"""What came under a number already taken is shown to the referent, and counts only by decision, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from analysis.tally import CellLayout
from survey_app.database import db, write_transaction
from survey_app.device_models import Device
from survey_app.models import AuditEntry, ResponseSetAside
from survey_app.responses import tallies
from survey_app.responses.counts import cells, fieldwork, responses
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import content_hash
from survey_app.responses.intake import judge_waiting
from survey_app.responses.purge import purge
from survey_app.responses.sent_anew import number_of
from survey_app.responses.set_aside import DecisionError, reinstate, set_aside
from survey_app.responses.variants import count_apart, variants
from survey_app.settings import RetentionTerms
from tests.survey_app import records
from tests.survey_app.records import ANSWERS, DEVICE, NOW, TABLET, WAVE, WEBSITE, a_record, take

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
    assert own.differences == {
        "minutes": (ANSWERS["minutes"], 40),
        "comment": (ANSWERS["comment"], "autre"),
        "recommend": (ANSWERS["recommend"], None),
    }
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


def a_variant(answers: Mapping[str, Any] = ANSWERS, credential: Credential = WEBSITE, **changes: Any) -> str:
    """Other contents under the number of a record that counts; gives their hash."""
    record_id = take(a_record({"minutes": 3})).id
    raw = a_record(answers, record_id=record_id, **changes)
    take(raw, credential, now=LATER)
    judge_waiting(now=LATER)
    return content_hash(raw)


def figures() -> tuple[int, int]:
    """How many count, and how many of them have a good word; the tallies are those of a recount."""
    with db.engine.connect() as connection:
        assert tallies.differences(connection, WAVE) == []
    layout = CellLayout(records.QUESTIONNAIRE)
    found = cells(WAVE)
    good = sum(layout.tally(cell.vector, "courtesy").favourable for cell in found)
    return sum(int(cell.vector[0]) for cell in found), good


def log() -> list[tuple[str, str, str]]:
    db.session.rollback()
    entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.actor, entry.action, entry.subject) for entry in entries]


def test_a_variant_is_counted_as_another_person_by_decision_and_once(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    assert figures() == (1, 0)
    assert variants(WAVE)[0].counted is None
    assert [count_apart(chosen, by="référente", now=LATER, wave_id=WAVE) for _ in range(3)] == [
        True,
        False,
        False,
    ]
    assert figures() == (2, 1)
    (variant,) = variants(WAVE)
    assert (variant.counted, variant.own_number) == (True, number_of(chosen))
    assert log() == [("référente", "variant-counted", number_of(chosen))]
    assert (fieldwork(WAVE).received, fieldwork(WAVE).conflicts) == (2, 1)
    decision = db.session.scalars(sa.select(ResponseSetAside)).one()
    assert (decision.record_id, decision.reason, decision.by) == (
        number_of(chosen),
        "other_person",
        "référente",
    )


def test_two_referents_at_once_count_it_once(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()

    def one(_number: int) -> bool:
        with database.app_context():
            return count_apart(chosen, by="référente", now=LATER)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(8))) == 1
    assert figures() == (2, 1)


def test_a_counted_variant_can_be_set_aside_and_counted_again(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    count_apart(chosen, by="référente", now=LATER)
    set_aside(number_of(chosen), reason="duplicate", by="référente", now=LATER, wave_id=WAVE)
    assert figures() == (1, 0)
    assert variants(WAVE)[0].counted is False
    assert count_apart(chosen, by="référente", now=LATER)
    assert figures() == (2, 1)


def test_counting_a_variant_leaves_the_first_contents_as_they_are(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    count_apart(chosen, by="référente", now=LATER)
    (variant,) = variants(WAVE)
    assert variant.differences is not None
    assert sorted(response.record_id for response in responses(WAVE)) == sorted(
        [variant.record_id, number_of(chosen)]
    )
    set_aside(variant.record_id, reason="test", by="référente", now=LATER)
    assert figures() == (1, 1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"body": {"practice": True}}, ": essai, "),
        ({"body": {"complete": False}}, "inachevé"),
        ({"questionnaire_digest": "b" * 64}, "ne peut pas être comptée"),
        ({"raw_body": "AAAA"}, "illisible"),
        ({"wave": "elsewhere"}, "autre édition"),
    ],
)
def test_what_may_not_count_does_not_count_as_a_variant_either(
    database: Flask, changes: dict[str, Any], why: str
) -> None:
    records.open_a_wave()
    chosen = a_variant(**changes)
    with pytest.raises(DecisionError, match=why):
        count_apart(chosen, by="référente", now=LATER, wave_id=WAVE)
    assert (figures(), log(), len(list(responses(WAVE, counted_only=False)))) == ((1, 0), [], 1)


def test_the_figures_of_a_sealed_wave_no_longer_change(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    records.change_wave(state="sealed", sealed_at=LATER)
    with pytest.raises(DecisionError, match="scellée"):
        count_apart(chosen, by="référente", now=LATER)
    assert figures() == (1, 0)


def test_a_variant_is_flagged_as_any_record_of_its_sender(database: Flask) -> None:
    records.open_a_wave()
    tablet = {"id": DEVICE, "name": "T", "site": "hall", "slugs": [], "languages": [], "enrolled_at": NOW}
    with write_transaction() as session:
        session.add(Device(**tablet, state="revoked", revoked_at=NOW))
    stranger = "00000000-0000-4000-8000-00000000000e"
    chosen = a_variant({**ANSWERS, "minutes": 999}, TABLET, device=stranger)
    count_apart(chosen, by="référente", now=LATER)
    (mine,) = (response for response in responses(WAVE) if response.record_id == number_of(chosen))
    assert (mine.mode, mine.site) == ("tablet", "hall")
    assert {"other_person", "revoked_device", "foreign_device", "invalid_answer"} <= set(mine.flags)


def test_somebody_who_sent_the_same_answers_anew_is_not_counted_twice(database: Flask) -> None:
    """The website offers it at once: the form it opens starts at that moment."""
    records.open_a_wave()
    chosen = a_variant()
    take(a_record(ANSWERS, body={"started_at": LATER.isoformat()}), now=LATER + dt.timedelta(minutes=1))
    judge_waiting(now=LATER + dt.timedelta(minutes=2))
    with pytest.raises(DecisionError, match="renvoyé"):
        count_apart(chosen, by="référente", now=LATER)
    assert figures() == (2, 1)


def sent_anew(**changes: Any) -> str:
    """What a person sends who was refused at `LATER`, some minutes after; gives its number."""
    body = {"started_at": LATER.isoformat(), **changes}
    return take(a_record(ANSWERS, body=body), now=LATER + dt.timedelta(minutes=4)).id


def test_what_was_counted_apart_and_is_then_sent_anew_counts_once_until_somebody_decides(
    database: Flask,
) -> None:
    records.open_a_wave()
    chosen = a_variant()
    count_apart(chosen, by="référente", now=LATER)
    anew = sent_anew()
    judge_waiting(now=LATER + dt.timedelta(minutes=5))
    assert figures() == (2, 1)
    assert fieldwork(WAVE).not_counted == {"counted_apart": 1}
    assert count_apart(chosen, by="référente", now=LATER) is False
    assert reinstate(anew, reason="reviewed", by="référente", now=LATER)
    assert figures() == (3, 2)


def test_what_was_received_anew_and_not_yet_read_when_it_was_counted_apart_counts_once(
    database: Flask,
) -> None:
    records.open_a_wave()
    chosen = a_variant()
    sent_anew()
    count_apart(chosen, by="référente", now=LATER)
    judge_waiting(now=LATER + dt.timedelta(minutes=5))
    assert figures() == (2, 1)


def test_what_was_sent_anew_while_it_was_set_aside_is_not_counted_apart_again(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    count_apart(chosen, by="référente", now=LATER)
    set_aside(number_of(chosen), reason="duplicate", by="référente", now=LATER)
    anew = sent_anew()
    judge_waiting(now=LATER + dt.timedelta(minutes=5))
    with pytest.raises(DecisionError, match="renvoyé"):
        count_apart(chosen, by="référente", now=LATER)
    assert figures() == (2, 1)
    set_aside(anew, reason="duplicate", by="référente", now=LATER)
    assert count_apart(chosen, by="référente", now=LATER)
    assert figures() == (2, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": {**ANSWERS, "minutes": 13}},
        {"started_at": (LATER - dt.timedelta(minutes=1)).isoformat()},
        {"started_at": "0001-01-01T00:00:00Z"},
        {"started_at": None},
    ],
)
def test_only_the_same_answers_from_the_page_that_refused_them_are_taken_for_sent_anew(
    database: Flask, changes: dict[str, Any]
) -> None:
    records.open_a_wave()
    count_apart(a_variant(), by="référente", now=LATER)
    sent_anew(**changes)
    judge_waiting(now=LATER + dt.timedelta(minutes=5))
    assert figures() == (3, 2)


def test_the_same_answers_of_somebody_who_came_later_are_no_reason(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    later = LATER + dt.timedelta(minutes=1)
    take(a_record(ANSWERS, body={"started_at": later.isoformat()}), now=later)
    assert count_apart(chosen, by="référente", now=LATER)


@pytest.mark.parametrize("chosen", ["", "x", "0" * 64])
def test_a_variant_that_does_not_exist_is_told(database: Flask, chosen: str) -> None:
    records.open_a_wave()
    with pytest.raises(DecisionError, match="n’existe pas"):
        count_apart(chosen, by="référente", now=LATER)


def test_an_erased_variant_can_no_longer_be_counted(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    records.change_wave(state="closed", closed_at=LATER)
    purge(RetentionTerms(), by="cron", now=LATER + dt.timedelta(days=400))
    with pytest.raises(DecisionError, match="effacé"):
        count_apart(chosen, by="référente", now=LATER)


def test_a_number_taken_meanwhile_by_another_record_is_told(database: Flask) -> None:
    records.open_a_wave()
    chosen = a_variant()
    take(a_record(record_id=number_of(chosen)))
    judge_waiting(now=LATER)
    with pytest.raises(DecisionError, match="porte déjà"):
        count_apart(chosen, by="référente", now=LATER)
