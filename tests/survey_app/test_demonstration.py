"""The demonstration: the same figures at every start, every verdict, nothing that passes for real."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from operator import attrgetter
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from analysis.axes import Verdict
from analysis.wave_report import Selection
from form_definitions import load_questionnaire
from form_definitions.library import FOLDER
from survey_app import cli, create_app
from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.definitions import organisation, organisation_of
from survey_app.demonstration import (
    MARKER,
    PRACTICE,
    REFERENT_ADDRESS,
    SENDER,
    Contents,
    FolderInUse,
    addresses,
    demonstration_settings,
    new_passphrase,
    prepare,
)
from survey_app.earlier_years import compare, earlier_year
from survey_app.exports import EXPORTS, Rights, file_name, gather
from survey_app.exports.gathering import shuffled_responses
from survey_app.fieldwork import follow_up
from survey_app.frames.storage import frames
from survey_app.frames.synthetic import WITHOUT_EMAIL
from survey_app.invitation_models import Invitation, MailMessage, SealedAnswer
from survey_app.invitations.links import token
from survey_app.mailing.planning import mailings_of
from survey_app.mailing.sink import Sink
from survey_app.models import InboxRecord, Response, User, Wave
from survey_app.reports import report_by_territory, report_of
from survey_app.responses import doctor
from survey_app.staff.to_complete import VALUES
from survey_app.strata import frame_of
from survey_app.synthetic_answers import OFFICIALS, USERS, people
from survey_app.waves import OPEN, PUBLISHED, find_wave
from tests.browsers import free_port

TODAY = date(2026, 11, 20)
NOTHING = Contents(None, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demonstration") / "data"


@pytest.fixture(scope="module")
def passphrase(folder: Path) -> str:
    _, made = prepare(folder, 8000, TODAY)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def application(folder: Path, passphrase: str) -> Iterator[Flask]:
    app = create_app(demonstration_settings(folder, 8000))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.mark.usefixtures("application")
def test_at_least_1500_synthetic_answers_went_through_the_inbox() -> None:
    received = db.session.scalar(sa.select(sa.func.count()).select_from(InboxRecord)) or 0
    by_link = Response.mode == "personal_link"
    judged = db.session.scalar(sa.select(sa.func.count()).select_from(Response).where(~by_link)) or 0
    assert received >= 1500
    assert judged == received
    assert all(db.session.scalars(sa.select(Wave.synthetic)))


@pytest.mark.usefixtures("application")
def test_a_year_before_stands_beside_the_results_and_says_that_it_is_invented() -> None:
    wave = find_wave("usagers-2026")
    assert wave is not None
    report = report_of(wave)
    earlier = earlier_year(wave, report)
    assert earlier is not None
    assert earlier.title == "2025, réponses inventées"
    compared = compare(report.commitments, earlier, report.settings)
    sure = {difference.sure for line in compared.values() for difference in line.differences}
    assert sure == {True, False}


@pytest.mark.usefixtures("application")
def test_every_verdict_and_a_hidden_axis_can_be_seen() -> None:
    report = gather("usagers-2026", Rights()).report
    assert {result.verdict for result in report.commitments} == set(Verdict)
    assert ("immigration", "confidentialite") in {
        (axis.site, axis.result.commitment) for axis in report.hidden_axes
    }
    assert {len(report.by_site), len(report.by_mode), len(report.by_language)} == {4, 3}
    assert len(report.by_period) >= 2


@pytest.mark.usefixtures("application")
def test_a_list_of_256_invented_communes_stands_ready() -> None:
    assert [(frame.title, lines) for frame, lines in frames()] == [
        ("Élus des Deux-Sèvres, 2026 (inventés)", 265),
        ("Élus des Deux-Sèvres, 2025 (inventés)", 265),
    ]


@pytest.mark.usefixtures("application")
def test_nothing_about_the_synthetic_answers_is_doubtful() -> None:
    flagged = [flags for flags in db.session.scalars(sa.select(Response.flags)) if flags]
    assert flagged == []


def test_the_doctor_finds_the_demonstration_sound(application: Flask) -> None:
    findings = doctor.examine(application.extensions["survey_settings"])
    assert [finding for finding in findings if finding.severity == "error"] == []


@pytest.mark.usefixtures("application")
def test_rows_leave_the_database_in_an_order_that_says_nothing() -> None:
    for _ in range(5):
        rows = list(shuffled_responses("usagers-2026", Selection()))
        ids, days = [row.record_id for row in rows], [row.answered_on for row in rows]
        assert ids != sorted(ids)
        assert days != sorted(days)
        assert len(set(ids)) == gather("usagers-2026", Rights()).report.responses


@pytest.mark.usefixtures("application")
def test_the_rows_of_a_selection_are_those_of_its_figures() -> None:
    for selection in (Selection(site="immigration"), Selection(mode="paper"), Selection(period="2026-11")):
        source = gather("usagers-2026", Rights(rows=True), selection)
        assert len(list(source.responses())) == source.report.responses > 0


@pytest.mark.usefixtures("application")
def test_practice_answers_are_told_and_not_counted() -> None:
    source = gather("usagers-2026", Rights())
    assert source.practice == PRACTICE
    assert source.report.responses == USERS.size - PRACTICE


@pytest.mark.abuse("AC-87")
@pytest.mark.usefixtures("application")
def test_file_names_are_plain_ascii_whatever_the_wave_is_called() -> None:
    source = gather("usagers-2026", Rights())
    for code in ('a"b\r\nSet-Cookie: x', "édition/../../etc", "\u202egnp", ""):
        name = file_name(replace(source, wave=replace(source.wave, code=code)), "classeur")
        assert name.isascii()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
        assert name.endswith("-classeur.xlsx")
    assert set(EXPORTS) >= {"classeur", "reponses", "reponses-internes", "recalculer", "json"}


@pytest.mark.usefixtures("application")
def test_the_passphrase_is_stored_nowhere(folder: Path, passphrase: str) -> None:
    user = db.session.scalars(sa.select(User).where(User.email == REFERENT_ADDRESS)).unique().one()
    assert (user.password or "").startswith("$argon2")
    for path in folder.rglob("*"):
        if path.is_file():
            assert passphrase.encode() not in path.read_bytes()


def test_a_second_start_makes_nothing_and_shows_no_passphrase(folder: Path, passphrase: str) -> None:
    before = (folder / "keys.json").read_bytes()
    settings, again = prepare(folder, 8001, TODAY)
    assert again is None
    assert settings.public_url == "http://127.0.0.1:8001"
    assert (folder / "keys.json").read_bytes() == before
    assert passphrase not in "\n".join(addresses(settings, again))
    assert new_passphrase(settings) != passphrase


def test_an_interrupted_first_start_begins_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / MARKER).touch()
    (folder / "survey.db").write_bytes(b"half a database")
    _, passphrase = prepare(folder, 8000, TODAY, NOTHING)
    assert passphrase is not None
    with sqlite3.connect(folder / "survey.db") as begun_again:
        assert begun_again.execute("SELECT email FROM user_account").fetchall() == [(REFERENT_ADDRESS,)]


@pytest.mark.parametrize("foreign", ["survey.db", "thesis.odt"])
def test_a_folder_of_something_else_is_refused_and_left_alone(
    tmp_path: Path, foreign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / foreign).write_bytes(b"years of work")
    with pytest.raises(FolderInUse):
        prepare(tmp_path, 8000, TODAY, NOTHING)
    assert cli.run(["demo", "--folder", str(tmp_path)]) != 0
    assert "contient déjà autre chose" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [foreign]
    assert (tmp_path / foreign).read_bytes() == b"years of work"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    _, passphrase = prepare(tmp_path, 8000, TODAY, NOTHING)
    assert passphrase is not None
    assert (tmp_path / MARKER).exists()


def test_only_the_owner_reads_the_keys(folder: Path, passphrase: str) -> None:
    assert (folder / "keys.json").stat().st_mode & 0o077 == 0


def test_the_same_people_answer_whatever_the_date() -> None:
    users = load_questionnaire(FOLDER / "questionnaires" / "users.yaml")
    one, other = (
        [person.answers for person in people(users, USERS, first=first, last=TODAY, seed=1)]
        for first in (date(2026, 9, 1), date(2026, 11, 1))
    )
    assert one == other


def test_an_invented_person_signs_what_the_demonstration_mails(tmp_path: Path) -> None:
    known = organisation_of(demonstration_settings(tmp_path, 8000).definitions_folder)
    assert known.director.name == "Camille Exemple"
    assert [key for key in VALUES if attrgetter(key)(known) is None] == []


@pytest.mark.usefixtures("application")
def test_last_years_survey_of_the_officials_is_published_and_this_years_runs() -> None:
    ended, running = find_wave("elus-2025"), find_wave("elus-2026")
    assert ended is not None
    assert running is not None
    assert (ended.state, running.state) == (PUBLISHED, OPEN)
    assert {wave.population for wave in (ended, running)} == {256}
    report = report_of(ended)
    assert report.responses > OFFICIALS.size * 0.9
    assert len(report_by_territory(ended).by_site) == len(organisation().arrondissements)
    frame = frame_of("elus-2025")
    assert frame is not None
    assert frame.key_destroyed_at is not None


@pytest.mark.usefixtures("application")
def test_the_follow_up_of_the_running_survey_has_something_of_everything() -> None:
    frame = frame_of("elus-2026")
    assert frame is not None
    assert follow_up(frame).whole.invited == 256
    found = db.session.scalars(sa.select(Invitation.state).where(Invitation.wave_id == "elus-2026"))
    assert set(found) == {"waiting", "answered", "declined", "wrong_person", "objected"}
    answered = db.session.scalar(sa.select(sa.func.count()).select_from(SealedAnswer))
    assert answered is not None
    assert 50 <= answered <= 60


@pytest.mark.usefixtures("application")
def test_a_reminder_waits_to_be_looked_at() -> None:
    assert [mailing.kind for mailing in mailings_of("elus-2026")] == ["reminder", "invitation"]


def test_a_link_of_last_year_still_opens_its_results(application: Flask) -> None:
    of_last_year = sa.select(Invitation).where(Invitation.wave_id == "elus-2025").limit(1)
    sent = {"_link": token(db.session.scalars(of_last_year).one())}
    shown = application.test_client().post(
        "/r/questionnaire/fr", data=sent, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert "Les résultats de l’enquête" in shown.text
    assert "réponses pour 256 personnes interrogées" in shown.text


def test_with_a_relay_the_invitations_lie_in_it_when_the_server_starts(tmp_path: Path) -> None:
    few = Contents(None, replace(OFFICIALS, size=20))
    today = today_in_paris()
    with Sink(free_port(), free_port()) as relay:
        settings, _ = prepare(tmp_path, 8000, today, few, mail=relay.settings(SENDER))
        mails = relay.messages.all()
    assert len(mails) == 256 - WITHOUT_EMAIL
    links = {re.findall(r"http://127\.0\.0\.1:8000/r/[\w-]{32}\b", mail.part("plain"))[0] for mail in mails}
    assert len(links) == len(mails)
    app = create_app(settings)
    with app.app_context():
        assert set(db.session.scalars(sa.select(MailMessage.state))) == {"sent"}
        db.session.remove()
        opened = app.test_client().get(links.pop().removeprefix("http://127.0.0.1:8000"))
        assert "Répondre ou voir les résultats" in opened.text
        db.engine.dispose()
