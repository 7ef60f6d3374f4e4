"""Two who write about one message at once: on PostgreSQL they do, on SQLite one waits for the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from survey_app.clock import utc_now
from survey_app.database import db, write_transaction
from survey_app.invitation_models import Invitation, Mailing, MailMessage
from survey_app.mailing import bounces, planning, queue
from survey_app.mailing.smtp import REFUSED, SENT, Delivery
from survey_app.settings import Settings
from tests.survey_app.mailing import field

LONG_ENOUGH = 0.7
"""Seconds that the first one keeps its transaction open: the second has read by then, or waits."""
DEAD = Delivery(REFUSED, "550 5.1.1 User unknown", address_is_bad=True)


def while_open(app: Flask, first: Callable[[Session], object], second: Callable[[], object]) -> None:
    """The second begins when the first has written and not yet committed."""
    written = threading.Event()

    def hold() -> None:
        with app.app_context(), write_transaction() as transaction:
            first(transaction)
            transaction.flush()
            written.set()
            time.sleep(LONG_ENOUGH)

    holder = threading.Thread(target=hold)
    holder.start()
    assert written.wait(10)
    try:
        second()
    finally:
        holder.join()


def in_a_transaction(act: Callable[[Session], object]) -> Callable[[], object]:
    def whole() -> None:
        with write_transaction() as transaction:
            act(transaction)

    return whole


def leaving() -> queue.Attempt:
    """A message to one official, on its way."""
    field.open_a_list(field.many(1))
    field.planned()
    field.change_message(0, state="sending", attempts=1)
    return queue.Attempt(field.messages()[0].id, 1)


def answers(transaction: Session) -> None:
    for invitation in transaction.query(Invitation):
        invitation.state = "answered"


@pytest.mark.parametrize("told_by", ["the relay", "a bounce"])
def test_a_dead_address_never_undoes_an_answer(database: Flask, settings: Settings, told_by: str) -> None:
    attempt = leaving()
    report = bounces.Report(field.messages()[0].return_tag, bounces.DEAD)
    db.session.rollback()

    def told(transaction: Session) -> None:
        if told_by == "the relay":
            queue.settle(transaction, attempt, DEAD, utc_now())
        else:
            bounces._apply(transaction, report)

    while_open(database, answers, in_a_transaction(told))
    db.session.rollback()
    assert [one.state for one in db.session.query(Invitation)] == ["answered"]


def test_a_message_sent_again_while_the_last_one_arrives_is_not_forgotten(
    database: Flask, settings: Settings
) -> None:
    field.open_a_list(field.many(2))
    number = field.planned()
    field.change_message(0, state="uncertain")
    field.change_message(1, state="sending", attempts=1)
    uncertain, last = (one.id for one in field.messages())
    db.session.rollback()

    def again(transaction: Session) -> None:
        mailing = transaction.get_one(Mailing, number, with_for_update=True)
        transaction.get_one(MailMessage, uncertain).state = queue.QUEUED
        mailing.state = queue.SCHEDULED

    arrived = Delivery(SENT, "250 OK")
    settle = in_a_transaction(lambda one: queue.settle(one, queue.Attempt(last, 1), arrived, utc_now()))
    while_open(database, again, settle)
    assert field.mailing_state(number) == queue.SCHEDULED


def test_what_is_settled_meanwhile_is_not_called_uncertain(database: Flask, settings: Settings) -> None:
    attempt = leaving()
    db.session.rollback()
    while_open(
        database,
        lambda one: queue.settle(one, attempt, Delivery(SENT, "250 OK"), utc_now()),
        in_a_transaction(lambda one: queue.own_up(one, utc_now())),
    )
    assert field.states() == ["sent"]


def test_two_decisions_about_one_message_are_one(database: Flask, settings: Settings) -> None:
    leaving()
    field.change_message(0, state="uncertain")
    attempt = field.attempt_of(field.messages()[0])
    db.session.rollback()

    def arrives(transaction: Session) -> None:
        transaction.get_one(MailMessage, attempt.message_id, with_for_update=True).state = SENT

    with pytest.raises(planning.MailingError, match="n’attend plus de décision"):
        while_open(database, arrives, lambda: planning.send_again(attempt, actor="test"))
    assert field.states() == ["sent"]
