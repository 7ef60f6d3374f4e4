"""Mail over real sockets: everything leaves once, at its pace, whatever the relay says."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from survey_app.clock import utc_now
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Mailing
from survey_app.mailing import lease, planning, queue
from survey_app.mailing import sender as sender_module
from survey_app.mailing.sender import Sender
from survey_app.mailing.texts import REMINDER
from survey_app.mailing.worker import MailWorker
from survey_app.settings import Settings
from tests.survey_app import records
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay

HOUR = dt.timedelta(hours=1)


class Clock:
    """The time, and later."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return utc_now() + self.ahead

    def pass_by(self, time_passed: dt.timedelta) -> None:
        self.ahead += time_passed


def drain(sender: Sender, clock: Clock | None = None, steps: int = 500) -> None:
    """Step until nothing is due; pauses pass at once with a clock of our own."""
    for _ in range(steps):
        pause = sender.step()
        if pause is None:
            return
        if clock is None:
            time.sleep(pause)
        else:
            clock.pass_by(dt.timedelta(seconds=pause))
    raise AssertionError("the queue never comes to its end")


def test_everybody_gets_one_message_and_the_mailing_is_done(settings: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    number = field.planned()
    drain(Sender(settings))
    assert field.states() == ["sent"] * 3
    assert field.mailing_state(number) == queue.DONE
    assert sorted(one.recipients[0] for one in relay.accepted) == [
        f"mairie{n}@commune.test" for n in (2, 3, 4)
    ]


def test_all_leave_in_one_conversation(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    field.planned()
    drain(Sender(on_sqlite))
    assert relay.conversations == 1


def test_nothing_leaves_before_its_time_nor_from_a_draft(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    planning.create_mailing(field.WAVE, "invitation", actor="test")
    field.planned(due_at=utc_now() + HOUR)
    clock = Clock()
    sender = Sender(on_sqlite, clock)
    drain(sender, clock)
    assert relay.accepted == []
    clock.pass_by(HOUR)
    drain(sender, clock)
    assert len(relay.accepted) == 3


def test_a_stopped_mailing_waits_and_goes_on_where_it_was(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    number = field.planned()
    sender = Sender(on_sqlite)
    sender.step()
    planning.stop(number, actor="test")
    drain(sender)
    assert len(relay.accepted) == 1
    planning.resume(number, actor="test")
    drain(sender)
    assert field.states() == ["sent"] * 3


def test_the_pace_is_kept_also_across_a_restart(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list(field.many(6))
    field.planned(per_minute=30)
    clock = Clock()
    begin = clock()
    for _ in range(6):
        sender = Sender(on_sqlite, clock)  # a new one each time, as after a restart
        while len(relay.accepted) < len(field.states()) and sender.step() == 0.0:
            pass
        sender.close()
        clock.pass_by(dt.timedelta(seconds=2))
    assert len(relay.accepted) <= 1 + (clock() - begin).total_seconds() / 2
    drain(Sender(on_sqlite, clock), clock)
    assert len(relay.accepted) == 6


def test_the_messages_to_look_at_are_read_at_once_with_whom_they_are_for(
    on_sqlite: Settings, relay: ScriptedRelay
) -> None:
    field.open_a_list(field.many(4))
    number = field.planned()
    db.session.expunge_all()
    statements: list[str] = []

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.extend([statement] if statement.startswith("SELECT") else [])

    sa.event.listen(db.engine, "before_cursor_execute", watch)
    try:
        found = planning.messages(db.session(), number, [queue.QUEUED])
        assert {invitation.unit.authority_name for _, invitation in found} == {
            f"Commune {place}" for place in range(4)
        }
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", watch)
    assert len(statements) == 1


def test_nobody_who_waits_for_the_database_waits_for_the_reading_of_letters(
    settings: Settings, relay: ScriptedRelay
) -> None:
    """Only messages that leave read their letter, one time each, and outside any write transaction."""
    field.open_a_list()
    mailing = planning.create_mailing(field.WAVE, "invitation", actor="test", attachment=("l.pdf", b"%PDF"))
    planning.schedule(mailing.id, utc_now(), field.FAST, actor="test")
    db.session.rollback()
    readings: list[bool] = []
    writing = False

    def watch(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if re.match(r"SELECT (?!EXISTS|\(EXISTS).*?\battachment\b.*?FROM", statement, re.DOTALL):
            readings.append(writing)

    @contextmanager
    def marked() -> Iterator[Session]:
        nonlocal writing
        with write_transaction() as transaction:
            writing = True
            yield transaction
            transaction.flush()
        writing = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sender_module, "write_transaction", marked)
        sa.event.listen(db.engine, "before_cursor_execute", watch)
        try:
            drain(Sender(settings))
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", watch)
    assert len(relay.accepted) == 3
    assert readings == [False] * 3


@pytest.mark.parametrize(
    "state", ["answered", "declined", "wrong_person", "unreachable", "objected", "withdrawn"]
)
def test_a_reminder_is_judged_when_it_leaves_not_when_it_is_planned(
    on_sqlite: Settings, relay: ScriptedRelay, state: str
) -> None:
    numbers = field.open_a_list()
    number = field.planned(REMINDER)
    field.change_invitation(numbers[1], state=state)
    drain(Sender(on_sqlite))
    assert field.states() == ["sent", "cancelled", "sent"]
    assert len(relay.accepted) == 2
    cancelled = field.messages()[1]
    assert (cancelled.last_reply, cancelled.attempts) == (
        "",
        0,
    )  # what happened meanwhile is not written here
    assert cancelled.changed_at == db.session.get_one(Mailing, number).due_at
    assert field.mailing_state(number) == queue.DONE


def test_nothing_leaves_once_the_edition_is_closed(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    field.planned()
    records.change_wave(state="closed")
    drain(Sender(on_sqlite))
    assert (field.states(), relay.accepted) == (["cancelled"] * 3, [])


def test_what_a_full_disk_kept_from_being_written_is_written_first_of_all(
    on_sqlite: Settings, relay: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    field.open_a_list(field.many(2))
    field.planned()
    original: Callable[..., None] = queue.settle
    calls: list[int] = []

    def failing_first(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("full")
        original(*arguments)

    monkeypatch.setattr(queue, "settle", failing_first)
    sender = Sender(on_sqlite)
    with pytest.raises(OSError, match="full"):
        sender.step()
    drain(sender)
    assert field.states() == ["sent", "sent"]
    assert len(relay.accepted) == 2


def test_the_thread_of_the_server_sends_and_ends(
    sqlite_app_database: Flask, on_sqlite: Settings, relay: ScriptedRelay
) -> None:
    field.open_a_list()
    field.planned()
    worker = MailWorker(sqlite_app_database, idle_seconds=0.05)
    worker.start()
    end = time.monotonic() + 20
    while len(relay.accepted) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    worker.stop()
    assert not worker.is_alive
    assert field.states() == ["sent"] * 3
    db.session.rollback()
    assert lease.read(db.session()).holder == ""
