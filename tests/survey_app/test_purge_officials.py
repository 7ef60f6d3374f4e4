"""The officials who were asked have a term too: names, invitations and mails go, the counts stay."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from form_definitions import questionnaire_digest
from survey_app.database import db
from survey_app.fieldwork import follow_up
from survey_app.invitation_models import (
    Invitation,
    MailMessage,
    SampledUnit,
    SamplingFrame,
    SavedInterview,
    WaveFrame,
)
from survey_app.invitations import links, mixing
from survey_app.invitations.transitions import unsubscribe
from survey_app.responses import doctor_links
from survey_app.responses.purge import purge
from survey_app.settings import RetentionTerms
from survey_app.strata import frame_of, strata_of
from survey_app.waves import close_wave, find_wave, personal_links
from tests.survey_app.frozen_list import SOURCE
from tests.survey_app.invitations import invited

TERMS = RetentionTerms()
PEOPLE = (Invitation, MailMessage, SampledUnit, SavedInterview)
LAST = dt.datetime(2026, 12, 31, 12, tzinfo=dt.UTC) + dt.timedelta(days=TERMS.officials_after_results)
PAST = LAST + dt.timedelta(days=1)


@pytest.fixture
def asked(database: Flask) -> list[str]:
    """Thirty mayors, of whom twelve answered; the results open until the end of the year."""
    numbers = invited.a_wave(30)
    for number in numbers[:12]:
        invited.answer(number)
    return numbers


@pytest.fixture
def closed(asked: list[str]) -> list[str]:
    close_wave(invited.WAVE, actor="test")
    mixing.finish(invited.WAVE, actor="test")
    return asked


def people() -> list[int]:
    return [invited.count(table) for table in PEOPLE]


def erase(now: dt.datetime, dry_run: bool = False) -> int:
    found = purge(TERMS, by="cron", now=now, dry_run=dry_run)["officials_after_results"]
    db.session.rollback()
    return found


def test_before_the_term_nobody_goes(closed: list[str]) -> None:
    assert erase(LAST) == 0
    assert people() == [30, 0, 30, 0]


def test_after_the_term_nothing_names_an_official_and_every_figure_stays(closed: list[str]) -> None:
    frame = frame_of(invited.WAVE)
    assert frame is not None
    before, strata = follow_up(frame), strata_of(frame)
    assert erase(PAST) == 60
    assert people() == [0, 0, 0, 0]
    frame = frame_of(invited.WAVE)
    assert frame is not None
    assert (follow_up(frame), strata_of(frame)) == (before, strata)
    assert (before.whole.invited, before.whole.complete) == (30, 12)
    assert frame.frame.source == SOURCE


def test_the_doctor_finds_no_answer_missing_afterwards(closed: list[str], tmp_path: Path) -> None:
    erase(PAST)
    found = list(doctor_links.links(tmp_path, PAST))
    assert [finding.severity for finding in found if finding.code == "links"] == ["ok"]


def test_a_wave_that_nobody_closed_keeps_no_official_longer(asked: list[str]) -> None:
    assert erase(PAST) == 60
    close_wave(invited.WAVE, actor="test")
    frame = frame_of(invited.WAVE)
    assert frame is not None
    assert follow_up(frame).whole.complete == 12
    assert mixing.finish(invited.WAVE, actor="test") == 12


def test_a_list_that_another_wave_needs_stays(closed: list[str]) -> None:
    with db.session.begin():
        list_id = db.session.scalars(sa.select(WaveFrame.frame_id)).one()
    invited.a_wave(
        wave_id="elus-2028",
        digest=questionnaire_digest(invited.ASKED),
        opens_on=dt.date(2028, 3, 1),
        closes_on=dt.date(2028, 3, 31),
    )
    with db.session.begin():
        later = db.session.get_one(WaveFrame, "elus-2028")
        later.frame_id, later.results_until = list_id, None
    assert erase(PAST) == 30, "the invitations of the first wave alone"
    assert invited.count(SampledUnit) == 60


def test_a_list_that_never_served_goes_after_its_import(database: Flask) -> None:
    with db.session.begin():
        kept = SamplingFrame(
            title="Maires",
            source="S",
            source_date=dt.date(2026, 1, 1),
            file_name="maires.csv",
            file_hash="a" * 64,
            imported_at=invited.NOW,
            imported_by="test",
        )
        db.session.add(kept)
    assert erase(invited.NOW + dt.timedelta(days=TERMS.officials_after_results - 1)) == 0
    assert invited.count(SamplingFrame) == 1
    erase(invited.NOW + dt.timedelta(days=TERMS.officials_after_results + 1))
    assert invited.count(SamplingFrame) == 0


def test_an_old_mail_still_lets_somebody_object(closed: list[str]) -> None:
    secret = links.unsubscribe_token(invited.invitation(closed[20]))
    erase(PAST)
    assert unsubscribe(secret)


def test_a_dry_run_takes_everything_back(closed: list[str]) -> None:
    assert erase(PAST, dry_run=True) == 60
    assert people() == [30, 0, 30, 0]


def test_an_abandoned_draft_keeps_nobody_and_asks_for_its_list_again(asked: list[str]) -> None:
    invited.set_wave(state="draft", opened_at=None)
    assert erase(PAST) == 60
    assert frame_of(invited.WAVE) is None
    wave = find_wave(invited.WAVE)
    assert wave is not None
    assert personal_links.why_not_open(wave, db.session()) == personal_links.NOT_PREPARED
