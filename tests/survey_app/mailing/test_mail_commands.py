"""`survey-app mail send` and `mail bounces`, for cron and for whoever has a shell."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flask import Flask

from survey_app import cli
from survey_app.database import db
from survey_app.settings import Settings
from tests.browsers import free_port
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_bounces import came_back


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit code of a command, and what it said."""
    capsys.readouterr()
    code = cli.run(list(arguments))
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def environment(
    keys: Path, sqlite_app_database: Flask, on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The commands on the database at hand, with its relay."""
    monkeypatch.setenv("DATABASE_URL", db.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", str(on_sqlite.mail.port))
    monkeypatch.setenv("SMTP_SECURITY", "none")
    monkeypatch.setenv("MAIL_SENDER", field.SENDER)
    monkeypatch.setenv("DEFINITIONS_FOLDER", str(on_sqlite.definitions_folder))
    monkeypatch.setenv("PUBLIC_URL", field.PUBLIC)
    return keys


def test_sending_says_how_many_left(
    environment: Path, relay: ScriptedRelay, capsys: pytest.CaptureFixture[str]
) -> None:
    field.open_a_list()
    field.planned()
    relay.hang_up_after_data = 1
    code, out, _ = run(capsys, "mail", "send")
    assert code == 0
    assert "2 messages remis au relais." in out
    assert "1 message incertain\u00a0: à décider dans les pages de gestion." in out
    assert run(capsys, "mail", "send")[1].startswith("0 message")


def test_without_a_relay_it_says_why_and_loses_nothing(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    field.open_a_list()
    field.planned()
    monkeypatch.setenv("SMTP_PORT", str(free_port()))
    code, _, err = run(capsys, "mail", "send")
    assert code == 1
    assert "n’est pas joignable" in err
    assert "Rien n’est perdu" in err
    assert field.states() == ["queued"] * 3


def test_without_settings_it_names_what_is_missing(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SMTP_HOST")
    code, _, err = run(capsys, "mail", "send")
    assert (code, "SMTP_HOST" in err) == (2, True)


def test_bounces_come_from_files_or_from_the_maildir(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    field.open_a_list()
    field.planned()
    run(capsys, "mail", "send")
    first, second, _ = field.messages()
    (tmp_path / "un.eml").write_bytes(came_back("postfix_dead", first.return_tag))
    code, out, _ = run(capsys, "mail", "bounces", str(tmp_path / "un.eml"))
    assert (code, out.split()) == (0, ["1", "adresse", "morte"])
    (tmp_path / "Maildir" / "new").mkdir(parents=True)
    (tmp_path / "Maildir" / "new" / "1.a").write_bytes(came_back("free_dead", second.return_tag))
    monkeypatch.setenv("BOUNCE_FOLDER", str(tmp_path / "Maildir"))
    assert "adresse morte" in run(capsys, "mail", "bounces")[1]
    assert "Aucun message" in run(capsys, "mail", "bounces")[1]
    assert field.states().count("bounced") == 2


def test_a_file_that_holds_no_mail_is_named_in_one_line_and_the_others_are_read(
    environment: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    field.open_a_list()
    field.planned()
    run(capsys, "mail", "send")
    shutil.copy(__file__, tmp_path / "retours.txt")
    (tmp_path / "un.eml").write_bytes(came_back("postfix_dead", field.messages()[0].return_tag))
    names = [str(tmp_path / name) for name in ("retours.txt", "un.eml")]
    code, out, err = run(capsys, "mail", "bounces", *names)
    assert code == 1
    assert out.split() == ["1", "adresse", "morte"]
    [told] = err.splitlines()
    assert "retours.txt" in told
    assert "Aucun message là-dedans" in told
    assert run(capsys, "mail", "bounces")[0] == 2
