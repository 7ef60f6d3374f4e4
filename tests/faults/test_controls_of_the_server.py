"""Controls of faults 39, 40, 48 and 49: the same tablet, and a server that keeps less than ours does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from form_definitions import load_translations
from survey_app import waves
from survey_app.database import db, write_connection
from survey_app.models import Response
from survey_app.questionnaires import publish_source
from survey_app.responses import inbox
from survey_app.responses.envelope import UnreadableEnvelope, content_hash
from survey_app.responses.intake import judge_waiting
from survey_app.responses.judged import Surroundings
from tests.faults.ledger import Found, look_into
from tests.faults.test_life_cycle import read_only
from tests.survey_app.tablet_site import QUESTIONNAIRE, FakeTablet, TabletSite, tablet_site

GIVEN: dict[str, Any] = {"courtesy": ["satisfied"], "comment": "sur la première version"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TabletSite]:
    with tablet_site(tmp_path) as made:
        yield made


@pytest.fixture
def tablet(site: TabletSite) -> FakeTablet:
    return FakeTablet.enrolled(site)


def promised(raw: bytes) -> str:
    """What « Merci » promised of this record."""
    return f"record {json.loads(raw)['id']} {content_hash(raw)}"


def found(site: TabletSite, *raws: bytes) -> Found:
    """What the database holds of these records, read without the program."""
    return look_into(site.app.extensions["survey_settings"].data_folder / "survey.db", map(promised, raws))


def response(site: TabletSite) -> Response:
    """The one response that there is."""
    with site.app.app_context():
        judge_waiting(now=datetime.now(UTC) + timedelta(days=1))
        return db.session.scalars(sa.select(Response)).one()


# 39: another version since


def answered_before_the_version_changed(site: TabletSite, tablet: FakeTablet) -> None:
    """One person answered; then the wave went on with a version in which a question has another name."""
    with site.app.app_context():
        (wave,) = waves.waves()
        raw = tablet.envelope(GIVEN, questionnaire_digest=wave.questionnaire_digest)
        newer = publish_source(
            QUESTIONNAIRE.replace("item: comment", "item: remark"), load_translations(), actor="test"
        )
        waves.move_to_questionnaire(site.wave, newer.digest, actor="test")
    assert tablet.put(raw).status_code == 200


def test_a_server_that_reads_each_record_with_its_own_version_counts_every_answer(
    site: TabletSite, tablet: FakeTablet
) -> None:
    answered_before_the_version_changed(site, tablet)
    assert response(site).answers == GIVEN


def test_a_server_that_reads_every_record_with_the_present_version_loses_an_answer(
    site: TabletSite, tablet: FakeTablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    questionnaire = Surroundings.questionnaire

    def present(surroundings: Surroundings, _digest: str) -> Any:
        wave = surroundings.wave(site.wave)
        assert wave is not None
        return questionnaire(surroundings, wave.questionnaire_digest)

    monkeypatch.setattr(Surroundings, "questionnaire", present)
    answered_before_the_version_changed(site, tablet)
    assert response(site).answers == {"courtesy": ["satisfied"]}


# 40: the questionnaire is closed


def refuse_what_comes_late(site: TabletSite, monkeypatch: pytest.MonkeyPatch) -> None:
    accept = inbox.accept

    def while_open(raw: bytes, **named: Any) -> inbox.Receipt:
        wave = waves.find_wave(site.wave)
        if wave is None or wave.state != waves.OPEN:
            raise UnreadableEnvelope("closed")
        return accept(raw, **named)

    monkeypatch.setattr(inbox, "accept", while_open)


@pytest.mark.parametrize("takes_what_comes_late", [True, False])
def test_a_server_that_refuses_what_comes_late_never_gets_what_was_answered_in_time(
    site: TabletSite, tablet: FakeTablet, monkeypatch: pytest.MonkeyPatch, takes_what_comes_late: bool
) -> None:
    """With its control."""
    if not takes_what_comes_late:
        refuse_what_comes_late(site, monkeypatch)
    in_time, late = tablet.envelope(), tablet.envelope()
    assert tablet.put(in_time).status_code == 200
    site.close_wave()
    assert tablet.put(late).status_code == (200 if takes_what_comes_late else 400)
    lost = frozenset() if takes_what_comes_late else {promised(late).removeprefix("record ")}
    assert found(site, in_time, late).lost == lost


# 48: maintenance


class ReceiptFirst:
    """A queue that tells before it writes."""

    def submit(self, _engine: Engine, rows: list[dict[str, Any]]) -> list[inbox.Receipt]:
        return [inbox._receipt(row, row["content_hash"], row["received_at"], "e") for row in rows]


@pytest.mark.parametrize("writes_first", [True, False])
def test_a_server_under_maintenance_that_gives_its_receipt_before_it_writes_loses(
    site: TabletSite, tablet: FakeTablet, monkeypatch: pytest.MonkeyPatch, writes_first: bool
) -> None:
    """With its control."""
    if not writes_first:
        monkeypatch.setattr(inbox, "_commits", ReceiptFirst())
    raw = tablet.envelope()
    with read_only(site.app):
        answer = tablet.put(raw)
    believed = answer.status_code == 200 and tablet.is_receipt_for(raw, answer.get_json())
    assert believed is not writes_first
    if not believed:  # then it is sent again, until there is a receipt
        assert tablet.is_receipt_for(raw, tablet.put(raw).get_json())
    assert bool(found(site, raw).lost) is not writes_first


# 49: two tablets under one identity


@pytest.mark.parametrize("takes_a_number_twice", [True, False])
def test_a_server_that_knows_a_record_by_its_number_loses_that_of_a_cloned_tablet(
    site: TabletSite, tablet: FakeTablet, takes_a_number_twice: bool
) -> None:
    """With its control."""
    site.app.testing = False  # what stumbles answers, as in the field
    if not takes_a_number_twice:
        with site.app.app_context(), write_connection() as connection:
            connection.exec_driver_sql("CREATE UNIQUE INDEX one_number ON inbox_record (device_id, seq)")
    twin = FakeTablet(tablet.client, tablet.device, tablet.secret, tablet.sealing_key)
    first, second = tablet.envelope(), twin.envelope()
    assert json.loads(first)["seq"] == json.loads(second)["seq"]
    tablet.put(first)
    for _again in range(3):
        twin.put(second)
    lost = frozenset() if takes_a_number_twice else {promised(second).removeprefix("record ")}
    assert found(site, first, second).lost == lost
