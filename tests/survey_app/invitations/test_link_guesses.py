"""Guessing personal links: nothing opens, all looks the same, and somebody is told."""

from __future__ import annotations

import logging
import re
import secrets
import statistics
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from survey_app.clock import utc_now
from survey_app.collection_modes import link_guesses
from survey_app.collection_modes.link_guesses import ALARM, HOUR_SECONDS, GuessAlarm
from survey_app.database import db
from survey_app.invitation_models import Invitation
from survey_app.responses import doctor_links
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.link_site import HERE, LinkSite


@pytest.fixture
def site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


def guess(client: FlaskClient, token: str) -> tuple[int, int]:
    answer = client.post("/r/questionnaire/fr", data={"_link": token}, headers=HERE)
    return answer.status_code, len(answer.get_data())


@pytest.mark.abuse("AC-11")
def test_ten_thousand_guesses_open_nothing_and_all_look_the_same(site: LinkSite) -> None:
    client = site.app.test_client()
    seen = {guess(client, secrets.token_urlsafe(24)) for _ in range(10_000)}
    assert len(seen) == 1
    assert seen.pop()[0] == 404
    with site.app.app_context():
        assert invited.count(Invitation, Invitation.started) == 0


@pytest.mark.abuse("AC-11")
def test_a_hash_that_begins_like_a_known_one_takes_no_longer_than_any_other(database: Flask) -> None:
    invited.a_wave()
    known = str(db.session.scalar(sa.select(Invitation.token_hash)))
    near = known[:-1] + ("0" if known[-1] != "0" else "1")
    far = secrets.token_hex(32)
    differences = [abs(slowest_of_twenty(near, far)) for _round in range(3)]
    assert min(differences) < 0.001, differences  # a busy machine is slow now and then, a leak always


def slowest_of_twenty(*hashes: str) -> float:
    """The 95th percentiles of looking two hashes up in turn, one less the other; in seconds."""
    durations: list[list[float]] = [[], []]
    for _ in range(400):
        for hashed, found in zip(hashes, durations, strict=True):
            start = time.perf_counter()
            db.session.scalar(sa.select(Invitation.id).where(Invitation.token_hash == hashed))
            found.append(time.perf_counter() - start)
    first, second = (statistics.quantiles(found, n=20)[-1] for found in durations)
    return first - second


@pytest.mark.abuse("AC-11")
def test_whoever_names_many_unknown_links_waits_and_nobody_with_a_real_one_does(tmp_path: Path) -> None:
    site = LinkSite(tmp_path)
    site.app.extensions["survey_rate_limits"].enabled = True
    client = site.app.test_client()
    statuses = [guess(client, f"guess-{place}")[0] for place in range(25)]
    assert statuses == [404] * 20 + [429] * 5
    assert guess(client, site.token(0))[0] == 200  # a colleague behind the same address
    assert guess(client, "guess-again")[0] == 429
    elsewhere = client.post(
        "/r/questionnaire/fr",
        data={"_link": "other"},
        headers=HERE,
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert elsewhere.status_code == 404


def test_many_guesses_ring_once_an_hour() -> None:
    alarm = GuessAlarm()
    rings = [place for place in range(3 * ALARM) if alarm.count(place * 0.1)]
    assert rings == [ALARM - 1]
    assert not alarm.count(HOUR_SECONDS * 3)
    assert [place for place in range(ALARM) if alarm.count(HOUR_SECONDS * 3 + place)] == [ALARM - 2]


def test_the_alarm_remembers_no_more_guesses_than_it_needs() -> None:
    alarm = GuessAlarm()
    for _ in range(5 * ALARM):
        alarm.count(1.0)
    assert len(alarm._times) == ALARM


def test_the_alarm_is_one_line_without_address_or_link_and_doctor_says_it(
    site: LinkSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_guesses, "_alarm", GuessAlarm())
    client = site.app.test_client()
    with caplog.at_level(logging.DEBUG):
        for place in range(ALARM + 5):
            guess(client, f"guess-{place}")
    lines = [record.getMessage() for record in caplog.records if "personal links" in record.getMessage()]
    assert len(lines) == 1
    assert not re.search(r"guess-|127\.0\.0\.1", caplog.text)
    with site.app.app_context():
        settings = site.app.extensions["survey_settings"]
        findings = list(doctor_links.links(settings.wave_keys_folder, utc_now()))
    assert [one.severity for one in findings if one.code == "guesses"] == ["warning"]
