"""Mail over real sockets: everything leaves once, at its pace, whatever the relay says."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from survey_app.clock import utc_now
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation, Mailing
from survey_app.mailing import lease, planning, queue, smtp
from survey_app.mailing import sender as sender_module
from survey_app.mailing.sender import PAUSES, Sender
from survey_app.mailing.texts import REMINDER
from survey_app.mailing.worker import MailWorker
from survey_app.settings import Settings
from tests.survey_app import records
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay, listening

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


@pytest.mark.parametrize("place", ["rcpt_replies", "data_replies"])
def test_a_temporary_refusal_is_tried_again_with_growing_delays(
    on_sqlite: Settings, relay: ScriptedRelay, place: str
) -> None:
    field.open_a_list(field.many(1))
    field.planned()
    setattr(relay, place, ["451 4.7.1 Greylisted, try again"] * 3)
    clock = Clock()
    sender, waits = Sender(on_sqlite, clock), []
    for _ in range(3):
        drain(sender, clock)
        told = field.messages()[0]
        assert (told.state, told.last_reply) == ("queued", "451 4.7.1 Greylisted, try again")
        assert told.next_try_at is not None
        waits.append(told.next_try_at - told.changed_at)
        clock.pass_by(waits[-1])
    drain(sender, clock)
    assert waits == sorted(set(waits))
    assert len(waits) == 3
    assert field.states() == ["sent"]
    assert len(relay.accepted) == 1


@pytest.mark.parametrize("place", ["rcpt_replies", "data_replies"])
def test_a_final_refusal_stops_this_message_and_no_other(
    on_sqlite: Settings, relay: ScriptedRelay, place: str
) -> None:
    numbers = field.open_a_list()
    number = field.planned()
    setattr(relay, place, ["554 5.7.1 <mairie2@commune.test>: rejected"])
    drain(Sender(on_sqlite))
    assert field.states() == ["refused", "sent", "sent"]
    assert field.messages()[0].last_reply == "554 5.7.1 …: rejected"  # no address is kept
    assert field.mailing_state(number) == queue.DONE
    assert _state_of(numbers[0]) == "waiting"  # the relay's own rules say nothing about the official


def test_an_address_that_nobody_has_makes_its_official_unreachable(
    on_sqlite: Settings, relay: ScriptedRelay
) -> None:
    numbers = field.open_a_list()
    field.planned()
    relay.rcpt_replies = ["550 5.1.1 User unknown"]
    drain(Sender(on_sqlite))
    assert [_state_of(one) for one in numbers] == ["unreachable", "waiting", "waiting"]


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


def test_a_dead_relay_delays_and_loses_nothing(settings: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    field.planned()
    with listening() as other:
        dead = other.port
    clock = Clock()
    broken = Sender(_on_port(settings, dead), clock)
    pauses = [broken.step() for _ in range(5)]
    assert pauses == [*PAUSES, PAUSES[-1]]
    assert field.states() == ["queued"] * 3
    assert [one.attempts for one in field.messages()] == [0, 0, 0]
    told = lease.trouble(db.session())
    assert told is not None
    assert told["reason"].endswith("n’est pas joignable\u00a0: il refuse la connexion.")
    drain(Sender(settings, clock), clock)
    assert field.states() == ["sent"] * 3
    db.session.rollback()
    assert lease.trouble(db.session()) is None


def test_a_relay_that_refuses_our_sender_loses_nothing(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list()
    field.planned()
    relay.mail_replies = ["553 5.7.1 enquete@deux-sevres.test not allowed"] * 2
    clock = Clock()
    drain(Sender(on_sqlite, clock), clock)
    assert field.states() == ["sent"] * 3
    assert len(relay.accepted) == 3


def test_a_line_cut_after_the_message_makes_it_uncertain_and_it_is_never_repeated(
    on_sqlite: Settings, relay: ScriptedRelay
) -> None:
    field.open_a_list()
    field.planned()
    relay.hang_up_after_data = 1
    clock = Clock()
    drain(Sender(on_sqlite, clock), clock)
    clock.pass_by(dt.timedelta(days=3))
    drain(Sender(on_sqlite, clock), clock)
    assert field.states() == ["uncertain", "sent", "sent"]
    assert len(relay.accepted) == 3


def test_a_relay_that_takes_too_long_is_left_and_the_message_is_uncertain(
    on_sqlite: Settings, relay: ScriptedRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "CONVERSATION_SECONDS", 0.3)
    field.open_a_list(field.many(1))
    field.planned()
    relay.slowness = 1.0
    begin = time.monotonic()
    drain(Sender(on_sqlite))
    assert time.monotonic() - begin < 0.9
    assert field.states() == ["uncertain"]


def test_the_referent_decides_about_an_uncertain_message(on_sqlite: Settings, relay: ScriptedRelay) -> None:
    field.open_a_list(field.many(2))
    number = field.planned()
    relay.hang_up_after_data = 2
    clock = Clock()
    drain(Sender(on_sqlite, clock), clock)
    first, second = field.messages()
    planning.take_as_arrived(first.id, actor="référente")
    planning.send_again(second.id, actor="référente")
    with pytest.raises(planning.MailingError, match="rechargez"):
        planning.send_again(first.id, actor="référente")
    drain(Sender(on_sqlite, clock), clock)
    assert field.states() == ["sent", "sent"]
    assert field.mailing_state(number) == queue.DONE
    names = [one.message["Message-ID"] for one in relay.accepted]
    assert len(names) == 3
    assert len(set(names)) == 2  # the one sent again kept its name


def test_two_senders_never_send_the_same_message(
    database: Flask, settings: Settings, relay: ScriptedRelay
) -> None:
    field.open_a_list(field.many(12))
    field.planned()

    def work() -> None:
        with database.app_context():
            sender = Sender(settings)
            end = time.monotonic() + 40
            while "queued" in field.states() and time.monotonic() < end:
                sender.step()
                sender.close()  # gives its turn away after every message
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert field.states() == ["sent"] * 12
    assert len({one.recipients[0] for one in relay.accepted}) == len(relay.accepted) == 12


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [
        (-86_400, True),
        (-60, False),
        (-0.5, False),
        (0, False),
        (lease.SECONDS - 1, False),
        (lease.SECONDS + 1, True),
    ],
)
def test_a_lease_is_anothers_only_when_it_ended_or_the_clock_was_set_back(
    settings: Settings, seconds: float, taken: bool
) -> None:
    """Half a second behind is no clock set back: it is whoever waited for the database in between."""
    now = utc_now()
    with write_transaction() as transaction:
        assert lease.take(transaction, "first", now) is not None
    with write_transaction() as transaction:
        found = lease.take(transaction, "second", now + dt.timedelta(seconds=seconds))
    assert (found is not None) is taken


@pytest.mark.parametrize("place", ["sendable", "compose"])
def test_a_message_that_cannot_be_composed_is_certain_not_to_have_left(
    on_sqlite: Settings, relay: ScriptedRelay, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The others leave meanwhile; the page says what is wrong; mended, it leaves by itself."""
    field.open_a_list()
    field.planned()
    original, faults = getattr(sender_module, place), [KeyError("lien")]

    def failing(*arguments: object) -> object:
        if faults:
            raise faults.pop()
        return original(*arguments)

    monkeypatch.setattr(sender_module, place, failing)
    clock = Clock()
    sender = Sender(on_sqlite, clock)
    assert sender.step() == PAUSES[0]
    assert field.states() == ["queued"] * 3
    told = lease.trouble(db.session())
    assert told is not None
    assert "n’a pas pu être composé" in told["reason"]
    drain(sender, clock)
    clock.pass_by(HOUR)
    drain(sender, clock)
    assert field.states() == ["sent"] * 3
    assert len(relay.accepted) == 3


def test_a_sender_whose_lease_ended_tells_what_became_of_its_message(
    on_sqlite: Settings, relay: ScriptedRelay
) -> None:
    """It was too slow, another took it for dead: the message was uncertain, until the first knows better."""
    field.open_a_list(field.many(1))
    field.planned()
    slow, clock = Sender(on_sqlite), Clock()
    clock.pass_by(dt.timedelta(seconds=lease.SECONDS + 1))
    original = slow._relay.deliver

    def deliver(*arguments: object) -> smtp.Delivery:
        drain(Sender(on_sqlite, clock), clock)
        assert field.states() == ["uncertain"]
        return original(*arguments)  # type: ignore[arg-type]

    slow._relay.deliver = deliver  # type: ignore[method-assign,assignment]
    drain(slow)
    assert field.states() == ["sent"]
    assert len(relay.accepted) == 1


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


def _state_of(number: str) -> str:
    db.session.rollback()
    return db.session.get_one(Invitation, number).state


def _on_port(settings: Settings, port: int) -> Settings:
    return replace(settings, mail=field.mail_settings(port))
