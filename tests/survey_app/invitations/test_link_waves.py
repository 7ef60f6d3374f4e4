"""The life of a wave by personal link: opened when its links are ready, closed once, watched by doctor."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app import cli, waves
from survey_app.database import DatabaseUnavailable, db, write_transaction
from survey_app.invitation_models import Invitation, SealedAnswer, WaveFrame
from survey_app.invitations import mixing, preparing, wave_keys, worker
from survey_app.invitations.mixing import finish
from survey_app.invitations.preparing import prepare_links
from survey_app.invitations.states import LinkError
from survey_app.models import AuditEntry, Wave
from survey_app.responses.doctor import examine
from survey_app.responses.doctor_links import links
from survey_app.responses.finding import Finding
from survey_app.settings import Settings
from survey_app.settings import testing as settings_for_tests
from survey_app.waves import WaveError
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import TODAY, WAVE, a_wave, answer, close
from tests.survey_app.staff_site import StaffSite, post


def key_file() -> Path:
    frame = db.session.get_one(WaveFrame, WAVE, populate_existing=True)
    db.session.rollback()
    return wave_keys.held().path(WAVE, str(frame.key_id))


def findings(app: Flask) -> dict[str, Finding]:
    settings: Settings = app.extensions["survey_settings"]
    return {one.code: one for one in examine(settings, invited.NOW) if one.severity != "ok"}


def test_a_wave_opens_only_when_its_links_are_prepared(database: Flask) -> None:
    a_wave()
    invited.set_wave(state="draft", opened_at=None)
    assert waves.why_not("open", db.session.get_one(Wave, WAVE), today=TODAY) == ""
    with write_transaction() as transaction:
        frame = transaction.get_one(WaveFrame, WAVE)
        frame.key_id = frame.public_key = None
    db.session.rollback()
    with pytest.raises(WaveError, match="Préparez d’abord les liens personnels"):
        waves.open_wave(WAVE, actor="test", today=TODAY)


def test_a_closed_wave_is_not_reopened_and_sealed_only_when_mixed(database: Flask) -> None:
    numbers = a_wave()
    answer(numbers[0])
    answer(numbers[1])
    waves.close_wave(WAVE, actor="test")
    with pytest.raises(WaveError, match="ne se rouvre plus"):
        waves.reopen_wave(WAVE, actor="test", today=TODAY)
    with pytest.raises(WaveError, match="2 réponses par lien personnel attendent encore"):
        waves.seal_wave(WAVE, actor="test")
    finish(WAVE, actor="test")
    waves.seal_wave(WAVE, actor="test")
    with pytest.raises(WaveError):
        waves.reopen_wave(WAVE, actor="test", today=TODAY)


def test_a_wave_in_preparation_is_thrown_away_with_its_links(database: Flask) -> None:
    a_wave()
    invited.set_wave(state="draft", opened_at=None)
    waves.delete_wave(WAVE, actor="test")
    assert (invited.count(Invitation), invited.count(WaveFrame)) == (0, 0)


def test_whoever_closes_waits_for_an_answer_that_is_on_its_way(database: Flask) -> None:
    """On PostgreSQL two transactions run at once: the mixing must not miss an answer that is half in."""
    if db.engine.dialect.name != "postgresql":
        return  # one writer at a time
    from survey_app.invitations import redemption

    a_wave()
    with write_transaction() as transaction:
        redemption.hold_open(transaction, WAVE)
        closing = sa.update(Wave).where(Wave.id == WAVE).values(state="closed")
        with db.engine.connect() as other:
            other.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            with pytest.raises(DatabaseUnavailable):
                other.execute(closing)


def test_the_worker_ends_what_was_interrupted_and_goes_on_after_a_fault(
    database: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in a_wave()[:12]:
        answer(number)
    close()
    with monkeypatch.context() as patch:
        patch.setattr(mixing, "forget_who_answered", lambda _wave: 1 / 0)
        assert worker.finish_all() == 0
    assert "is not mixed yet" in caplog.text
    assert mixing.unfinished() == [WAVE]
    assert worker.finish_all() == 0  # they were mixed the first time; what was left is done now
    assert mixing.unfinished() == []
    assert len(invited.responses()) == 12


def test_the_thread_of_the_server_mixes_by_itself(sqlite_app_database: Flask) -> None:
    import time

    for number in a_wave()[:12]:
        answer(number)
    close()
    running = worker.MixingWorker(sqlite_app_database, poll_seconds=0.05)
    running.start()
    for _ in range(100):
        if not mixing.unfinished():
            break
        time.sleep(0.1)
    running.stop()
    assert (mixing.unfinished(), len(invited.responses())) == ([], 12)


@pytest.mark.parametrize("answering", [3, 12])
def test_doctor_is_content_before_and_after(database: Flask, answering: int) -> None:
    for number in a_wave()[:answering]:
        answer(number)
    assert not {"links", "wave_key", "mixing"} & findings(database).keys()
    close()
    assert findings(database)["mixing"].remedy == f"Lancez «\u202fsurvey-app wave mix {WAVE}\u202f»."
    finish(WAVE, actor="test")
    assert not {"links", "wave_key", "mixing"} & findings(database).keys()


def test_doctor_sees_a_lost_answer_a_lost_key_and_one_that_came_back(database: Flask) -> None:
    for number in a_wave()[:12]:
        answer(number)
    path = key_file()
    copy = path.read_bytes()
    path.chmod(0o644)
    assert findings(database)["wave_key"].severity == "warning"
    path.unlink()
    assert "manque" in findings(database)["wave_key"].message
    path.write_bytes(copy)
    path.chmod(0o600)
    with write_transaction() as transaction:
        transaction.delete(transaction.scalars(sa.select(SealedAnswer).limit(1)).one())
    assert findings(database)["links"].severity == "error"
    close()
    finish(WAVE, actor="test")
    path.write_bytes(copy)
    assert "est de retour" in findings(database)["wave_key"].message


def test_links_that_are_not_prepared_leave_no_key_behind(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_wave()
    invited.set_wave(state="draft", opened_at=None)
    before = set(key_file().parent.iterdir())
    with write_transaction() as transaction:
        transaction.get_one(WaveFrame, WAVE).key_id = None
    monkeypatch.setattr(preparing, "_invite", lambda *_: preparing._check(Wave(state="open"), 0))
    with pytest.raises(LinkError):
        prepare_links(WAVE, [("unit", "niort")] * 22, actor="test")
    assert set(wave_keys.held().folder.iterdir()) == before
    assert invited.count(AuditEntry, AuditEntry.action == "wave-key-destroyed") == 1


def test_a_wave_past_its_last_day_waits_for_its_closing_until_somebody_is_told(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        a_wave(closes_on=invited.TODAY)
        told = {one.code: one for one in links(tmp_path, invited.NOW + dt.timedelta(days=1))}
        assert f"wave close {WAVE}" in told["overdue"].remedy
        assert "overdue" not in {one.code for one in links(tmp_path, invited.NOW)}
    page = site.client().get("/gestion/").text
    assert "fermez-la. D’ici là, ses réponses restent scellées" in page
    with site.database():
        close()
        assert "overdue" not in {one.code for one in links(tmp_path, invited.NOW + dt.timedelta(days=9))}


def test_doctor_names_the_key_of_no_wave(database: Flask) -> None:
    a_wave()
    assert "wave_key_left" not in findings(database)
    stray = key_file().with_name("elus-2019-0123456789abcdef.pem")
    stray.write_bytes(b"key")
    assert stray.name in findings(database)["wave_key_left"].message


def test_a_wave_thrown_away_on_the_page_takes_its_key_along(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        a_wave()
        invited.set_wave(state="draft", opened_at=None)
        path = key_file()
    assert post(site.client(), f"/gestion/editions/{WAVE}/supprimer").status_code == 303
    with site.database():
        assert invited.count(WaveFrame) == 0
        assert invited.count(AuditEntry, AuditEntry.action == "wave-key-destroyed") == 1
    assert not path.exists()


def test_another_master_key_is_noticed_before_anybody_is_written_to(database: Flask) -> None:
    a_wave()
    assert "link_key" not in findings(database)
    other = replace(
        database.extensions["survey_settings"], device_master_key="another-key-of-32-characters-xyz"
    )
    database.extensions["survey_settings"] = other
    assert "Oppositions" in findings(database)["link_key"].message
    invited.set_wave(state="draft", opened_at=None)
    with pytest.raises(LinkError, match="DEVICE_MASTER_KEY n’est plus"):
        prepare_links(WAVE, [], actor="test")


def test_the_referent_closes_on_the_page_and_the_answers_are_counted(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        for number in a_wave()[:12]:
            answer(number)
    client = site.client()
    asked = client.get(f"/gestion/editions/{WAVE}/clore").text
    assert "la clé" in asked.replace("leur clé", "la clé")
    assert "Vous pourrez la rouvrir" not in asked
    token = asked.split('name="csrf_token" value="')[1].split('"')[0]
    sent = client.post(
        f"/gestion/editions/{WAVE}/clore",
        data={"csrf_token": token},
        base_url="https://localhost",
        headers={"Referer": "https://localhost/"},
    )
    assert sent.status_code == 303
    with site.database():
        assert (len(invited.responses()), mixing.unfinished()) == (12, [])


def test_of_fewer_than_eleven_answers_the_page_says_that_none_is_kept(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        for number in a_wave()[:3]:
            answer(number)
    client = site.client()
    asked = client.get(f"/gestion/editions/{WAVE}/clore").text
    assert "À moins de onze réponses, aucune n’est gardée." in asked
    address = f"/gestion/editions/{WAVE}"
    assert "Aucune n’est gardée" not in client.get(address).text
    with site.database():
        waves.close_wave(WAVE, actor="test")
        finish(WAVE, actor="test")
    assert "Aucune n’est gardée, toutes sont détruites avec leur clé." in client.get(address).text
    log = site.client("technician").get("/gestion/journal").text
    assert "aucune gardée" in log


def test_the_command_line_closes_and_mixes(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from survey_app import create_app

    assert cli.run(["database", "upgrade"]) == 0
    app = create_app(settings_for_tests(data_folder=keys))
    with app.app_context():
        for number in a_wave()[:12]:
            answer(number)
        db.session.remove()
        db.engine.dispose()
    assert cli.run(["wave", "mix", WAVE]) == 1
    assert "Fermez d’abord l’édition" in capsys.readouterr().err
    assert cli.run(["wave", "close", WAVE]) == 0
    assert "12 réponses mélangées\u00a0; la clé est détruite." in capsys.readouterr().out
    assert cli.run(["wave", "mix", WAVE]) == 0
    assert cli.run(["wave", "mix", "inconnue"]) == 1


def test_the_results_of_a_wave_read_its_mixed_answers(database: Flask) -> None:
    from survey_app.reports import report_of

    for number in a_wave()[:24]:
        answer(number, today=TODAY + dt.timedelta(days=1))
    close()
    finish(WAVE, actor="test")
    report = report_of(db.session.get_one(Wave, WAVE))
    assert report.responses == 24
    assert set(report.by_site) <= set(invited.STRATA)
