"""What comes back is matched by its tag alone; only a dead address makes an official unreachable."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from survey_app.audit import latest
from survey_app.database import db
from survey_app.invitation_models import Invitation
from survey_app.mailing import worker
from survey_app.mailing.bounces import read_report, take_reports
from survey_app.mailing.mailbox import messages_of, read_files, read_maildir
from survey_app.mailing.sender import Sender
from survey_app.mailing.worker import MailWorker
from survey_app.settings import Settings
from tests.survey_app.mailing import field
from tests.survey_app.mailing.test_sending import drain

FOLDER = Path(__file__).parent / "bounces"
EXPECTED = {
    "postfix_dead": ("dead", "bounced", "unreachable"),
    "exchange_dead": ("dead", "bounced", "unreachable"),
    "orange_dead": ("dead", "bounced", "unreachable"),
    "free_dead": ("dead", "bounced", "unreachable"),
    "exim_dead": ("dead", "bounced", "unreachable"),
    "exchange_full": ("failed", "bounced", "waiting"),
    "orange_junk": ("failed", "bounced", "waiting"),
    "postfix_expired": ("failed", "bounced", "waiting"),
    "postfix_delayed": ("delayed", "sent", "waiting"),
    "out_of_office": ("none", "sent", "waiting"),
    "a_person_answers": ("none", "sent", "waiting"),
}
"""Fixture → the outcome, the state of the message, the state of the invitation."""


def came_back(name: str, tag: str) -> bytes:
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    return text.replace("TAGGED", f"enquete+{tag}@deux-sevres.test").encode()


@pytest.fixture
def mailed(on_sqlite: Settings) -> list[str]:
    """Three messages that were sent; the numbers of their invitations."""
    numbers = field.open_a_list()
    field.planned()
    drain(Sender(on_sqlite))
    return numbers


def invitation_state(number: str) -> str:
    db.session.rollback()
    return db.session.get_one(Invitation, number).state


def test_every_fixture_is_expected_to_be_something() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_message_that_came_back_says_what_it_says(mailed: list[str], name: str) -> None:
    outcome, message_state, state = EXPECTED[name]
    first = field.messages()[0]
    assert take_reports([came_back(name, first.return_tag)], actor="test") == {outcome: 1}
    assert field.states() == [message_state, "sent", "sent"]
    assert [invitation_state(one) for one in mailed] == [state, "waiting", "waiting"]
    assert "@" not in field.messages()[0].last_reply
    assert latest(1)[0].detail == {outcome: 1}


def test_a_bounce_read_twice_counts_once(mailed: list[str]) -> None:
    raw = came_back("postfix_dead", field.messages()[0].return_tag)
    assert take_reports([raw, raw], actor="test") == {"dead": 1, "again": 1}


@pytest.mark.parametrize("tag", ["0123456789abcdef0123", "f" * 20])
def test_a_forged_tag_changes_nothing(mailed: list[str], tag: str) -> None:
    """Also where the copy inside, which anybody can write, names a tag of ours."""
    ours = field.messages()[0].return_tag.encode()
    raw = came_back("postfix_dead", tag).replace(b"0123456789abcdef0123@deux", ours + b"@deux", 0)
    raw = raw.replace(b"Return-Path: <enquete+0123456789abcdef0123@", b"Return-Path: <enquete+" + ours + b"@")
    assert take_reports([raw], actor="test") == {"unknown": 1}
    assert field.states() == ["sent"] * 3
    assert [invitation_state(one) for one in mailed] == ["waiting"] * 3


@pytest.mark.parametrize(
    "address",
    [
        "enquete@deux-sevres.test",
        "autre+{tag}@deux-sevres.test",
        "enquete+{tag}@ailleurs.test",
        "xenquete+{tag}@deux-sevres.test",
    ],
)
def test_a_report_to_another_address_changes_nothing(mailed: list[str], address: str) -> None:
    tag = field.messages()[0].return_tag
    text = (FOLDER / "postfix_dead.eml").read_text(encoding="utf-8")
    raw = text.replace("TAGGED", address.format(tag=tag)).encode()
    assert take_reports([raw], actor="test") == {"none": 1}
    assert field.states() == ["sent"] * 3


def test_a_report_about_an_uncertain_message_shows_that_it_left(mailed: list[str]) -> None:
    field.change_message(0, state="uncertain")
    take_reports([came_back("postfix_delayed", field.messages()[0].return_tag)], actor="test")
    assert field.states() == ["sent"] * 3


@pytest.mark.parametrize("state", ["answered", "declined", "objected"])
def test_a_bounce_never_changes_what_somebody_said(mailed: list[str], state: str) -> None:
    field.change_invitation(mailed[0], state=state)
    take_reports([came_back("postfix_dead", field.messages()[0].return_tag)], actor="test")
    assert invitation_state(mailed[0]) == state


def test_the_bounce_of_an_address_before_does_not_silence_the_next_holder(mailed: list[str]) -> None:
    field.change_invitation(mailed[0], passed_on=True, email="secretariat@commune.test")
    take_reports([came_back("postfix_dead", field.messages()[0].return_tag)], actor="test")
    assert field.states()[0] == "bounced"
    assert invitation_state(mailed[0]) == "waiting"


def test_a_file_of_many_messages_is_read_whole(mailed: list[str]) -> None:
    tags = [one.return_tag for one in field.messages()]
    mbox = b"".join(
        b"From MAILER-DAEMON Mon Nov 30 09:12:44 2026\n" + came_back("postfix_dead", tag) + b"\n"
        for tag in tags
    )
    assert take_reports(messages_of(mbox), actor="test") == {"dead": 3}
    assert len(messages_of(came_back("free_dead", tags[0]))) == 1


OUTLOOK = bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 504
"""How a .msg file begins: an OLE compound file."""


@pytest.mark.parametrize(
    "raw, remedy",
    [
        (b"", "au format .eml ou mbox"),
        (b"\x00\x01\x02", "au format .eml ou mbox"),
        ("une ligne sans en-tête".encode(), "au format .eml ou mbox"),
        (b"PK\x03\x04 a zip", "décompressez-la"),
        (OUTLOOK, "enregistrez-le au format .eml"),
        (b"!BDN a folder", "enregistrez ses avis un par un"),
    ],
)
def test_a_file_without_messages_is_named_with_its_remedy(raw: bytes, remedy: str) -> None:
    messages, [told] = read_files([("retours.bin", raw)])
    assert messages == []
    assert "retours.bin" in told
    assert remedy in told


def test_the_other_files_are_read_and_each_remedy_is_said_once() -> None:
    good = came_back("free_dead", "0" * 20)
    files = [("un.msg", OUTLOOK), ("bon.eml", good), ("deux.msg", OUTLOOK), ("notes.txt", b"bonjour")]
    messages, unread = read_files(files)
    assert len(messages) == 1
    assert [line.partition(".")[0] for line in unread] == [
        "Non lus\u00a0: «\u202fun",
        "Non lu\u00a0: «\u202fnotes",
    ]
    assert "un.msg\u202f» et «\u202fdeux.msg" in unread[0]


def test_a_maildir_is_read_once(mailed: list[str], tmp_path: Path) -> None:
    new = tmp_path / "Maildir" / "new"
    new.mkdir(parents=True)
    for place, message in enumerate(field.messages()):
        (new / f"17328.{place}.relais").write_bytes(came_back("exchange_dead", message.return_tag))
    assert read_maildir(tmp_path / "Maildir", actor="test") == {"dead": 3}
    assert read_maildir(tmp_path / "Maildir", actor="test") == {}
    assert len(list((tmp_path / "Maildir" / "cur").iterdir())) == 3


def test_the_thread_of_the_server_reads_the_maildir(
    sqlite_app_database: Flask, mailed: list[str], on_sqlite: Settings, tmp_path: Path
) -> None:
    new = tmp_path / "Maildir" / "new"
    new.mkdir(parents=True)
    (new / "1.relais").write_bytes(came_back("free_dead", field.messages()[0].return_tag))
    field.equip(sqlite_app_database, on_sqlite.mail.port, tmp_path, bounce_folder=tmp_path / "Maildir")
    MailWorker(sqlite_app_database).step()
    assert field.states() == ["bounced", "sent", "sent"]


def test_a_maildir_that_cannot_be_read_stops_no_mail(
    sqlite_app_database: Flask, on_sqlite: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_arguments: object, **_named: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(worker, "read_maildir", unreadable)
    field.open_a_list()
    field.planned()
    field.equip(sqlite_app_database, on_sqlite.mail.port, tmp_path, bounce_folder=tmp_path)
    thread = MailWorker(sqlite_app_database)
    thread.step()
    thread.close()
    assert field.states() == ["sent", "queued", "queued"]


ANY = came_back("postfix_dead", "0123456789abcdef0123")


@given(st.binary(max_size=400), st.integers(0, len(ANY)), st.integers(0, 200))
def test_no_bytes_break_the_reading(noise: bytes, at: int, cut: int) -> None:
    read_report(noise, field.SENDER)
    read_report(ANY[:at] + noise + ANY[at + cut :], field.SENDER)


@pytest.mark.parametrize("name", ["free_dead", "exim_dead"])
@given(noise=st.binary(max_size=60), at=st.integers(0, 900))
def test_no_bytes_break_the_reading_of_prose(name: str, noise: bytes, at: int) -> None:
    raw = came_back(name, "0123456789abcdef0123")
    read_report(raw[:at] + noise + raw[at:], field.SENDER)
