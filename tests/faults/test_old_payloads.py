"""Fault 41: a record arrives a year late, in the form of its release, for a questionnaire since replaced."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask import Flask

from form_definitions import canonical_json, from_canonical, questionnaire_digest
from survey_app.database import db
from survey_app.models import InboxRecord, Response
from survey_app.responses.counts import review_list
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import encode_body
from survey_app.responses.inbox import accept
from survey_app.responses.intake import judge_waiting
from survey_app.responses.judged import Surroundings
from survey_app.responses.record_keys import held
from tests.survey_app import records
from tests.survey_app.records import DEVICE, NOW, WAVE
from tests.survey_app.test_sealing import keep_vector_key

CORPUS: Final = json.loads(
    (Path(__file__).parents[1] / "conformance" / "envelopes.json").read_text(encoding="utf-8")
)
CASES: Final = {case["name"]: case for case in CORPUS["cases"]}
A_YEAR_LATER: Final = NOW + dt.timedelta(days=365)
SENDERS: Final = {
    "tablet": Credential(mode="tablet", device_id=DEVICE, site="hall"),
    "website": Credential(mode="website"),
    "paper": Credential(mode="paper", site="hall"),
}


@pytest.fixture
def closed_wave(sqlite_app_database: Flask) -> None:
    """The wave of that year, which has moved to another version and closed since; the key is still kept."""
    questionnaire = from_canonical(CORPUS["questionnaire"].encode())
    records.open_a_wave(questionnaire, modes=["tablet", "website", "paper"], languages=["fr", "en", "ar"])
    newer = records.publish(records.a_questionnaire(title="Une version plus récente"))
    records.change_wave(questionnaire_digest=newer, state="closed", closed_at=NOW + dt.timedelta(days=20))
    keep_vector_key(held().folder)


def deliver(case: dict[str, Any], raw: bytes) -> None:
    accept(raw, source=case["source"], credential=SENDERS[case["source"]], now=A_YEAR_LATER)
    judge_waiting(now=A_YEAR_LATER + dt.timedelta(days=2))


@pytest.mark.fault(41)
@pytest.mark.parametrize("name", CASES)
def test_a_record_of_each_earlier_form_is_read_a_year_later_as_it_was_meant(
    closed_wave: None, name: str
) -> None:
    case = CASES[name]
    raw = case["envelope"].encode()
    deliver(case, raw)
    stored = db.session.scalars(sa.select(InboxRecord)).one()
    assert (stored.envelope, stored.content_hash) == (raw, case["sha256"])
    responses = db.session.scalars(sa.select(Response)).all()
    read = [
        {name: getattr(response, name) for name in ("answers", "complete", "practice", "language")}
        for response in responses
    ]
    assert read == ([] if case["response"] is None else [case["response"]])
    assert [response.flags for response in responses] == [["late", "old_digest"]] * len(read)
    assert [response.other_answers for response in responses] == [{}] * len(read)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["response"] is not None])
def test_a_server_that_keeps_the_present_version_alone_reads_no_answer_of_an_earlier_one(
    closed_wave: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The control: the bytes are there, and nobody can say what they mean."""
    monkeypatch.setattr(Surroundings, "questionnaire", lambda *_given: None)
    deliver(CASES[name], CASES[name]["envelope"].encode())
    (response,) = db.session.scalars(sa.select(Response))
    assert response.answers == {}
    assert "unknown_digest" in response.flags


@pytest.mark.parametrize("lost", ["questionnaire_digest", "wave", "body"])
def test_what_can_no_longer_be_read_is_kept_and_waits_for_the_referent(closed_wave: None, lost: str) -> None:
    """Its version, its edition or the very form of its contents is unknown here."""
    case = CASES["website, not sealed"]
    unknown = {
        "questionnaire_digest": "e" * 64,
        "wave": "usagers-1999",
        "body": encode_body({"version": 0, "reponses": [["courtesy", 1]]}),
    }
    raw = json.dumps({**json.loads(case["envelope"]), lost: unknown[lost]}).encode()
    deliver(case, raw)
    assert db.session.scalars(sa.select(InboxRecord.envelope)).one() == raw
    (waiting,) = review_list(None if lost == "wave" else WAVE)
    assert not waiting.counted


def test_the_corpus_is_as_its_release_wrote_it() -> None:
    questionnaire = from_canonical(CORPUS["questionnaire"].encode())
    digests = {json.loads(case["envelope"])["questionnaire_digest"] for case in CASES.values()}
    assert digests == {questionnaire_digest(questionnaire)}
    assert canonical_json(questionnaire).decode() == CORPUS["questionnaire"]
    forms = {(case["source"], json.loads(case["envelope"])["suite"]) for case in CASES.values()}
    assert len(forms) == 4
