"""Of several senders one sends: who holds the lease, for how long, and what becomes of the one before."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from flask import Flask

from survey_app.clock import utc_now
from survey_app.database import db, write_transaction
from survey_app.mailing import lease, smtp
from survey_app.mailing.sender import Sender
from survey_app.settings import Settings
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_sending import Clock, drain


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
