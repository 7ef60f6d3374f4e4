"""After the mixing nothing tells who answered: flags and reminders became counts, the right ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import db, write_transaction
from survey_app.fieldwork import FollowUp, follow_up
from survey_app.invitation_models import Invitation, Mailing, MailMessage, WaveFrame
from survey_app.invitations import mixing, transitions
from survey_app.invitations.links import unsubscribe_token
from survey_app.invitations.states import ANSWERED, FORGOTTEN, OVER, STATES, WAITING, WaveIsOver
from survey_app.mailing import planning, queue
from survey_app.mailing.smtp import SENT, Delivery
from survey_app.responses.link_balance import balance
from survey_app.responses.participation import DISPOSITION
from survey_app.responses.purge import purge
from survey_app.settings import RetentionTerms
from survey_app.waves import close_wave
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import NOW, WAVE
from tests.survey_app.invitations.linkage import everything

ANSWERING, SILENT = slice(0, 14), slice(14, 24)
OTHERS = ("declined", "wrong_person", "unreachable", "objected", "withdrawn")
ONE_EACH = {"id", "unit_id", "token_hash", "letter_code_hash", "email", "stratum"}
"""Columns of an invitation that are known beforehand."""


@pytest.fixture
def asked(database: Flask) -> list[str]:
    """Fourteen of thirty answer, one begins, some end otherwise; the reminder left for some who had not."""
    numbers = invited.a_wave(30)
    for number in numbers[ANSWERING]:
        invited.answer(number)
    with write_transaction() as transaction:
        transaction.get_one(Invitation, numbers[14]).started = True
        for number, state in zip(numbers[25:], OTHERS, strict=True):
            transaction.get_one(Invitation, number).state = state
    mail("invitation", {number: "sent" for number in numbers})
    mail("reminder", {number: "sent" for number in numbers[10:24]} | {numbers[9]: "cancelled"})
    return numbers


def mail(kind: str, states: dict[str, str]) -> int:
    """A mailing whose messages stand so."""
    with write_transaction() as transaction:
        mailing = Mailing(
            wave_id=WAVE, kind=kind, subject="s", body="b", state="scheduled", created_at=NOW, created_by="t"
        )
        transaction.add(mailing)
        transaction.flush()
        chosen = list(transaction.scalars(sa.select(Invitation).where(Invitation.id.in_(states))))
        queue.enqueue(transaction, mailing, chosen, "exemple.fr", NOW)
        transaction.flush()
        made = sa.select(MailMessage).where(MailMessage.mailing_id == mailing.id)
        for message in transaction.scalars(made):
            message.state = states[message.invitation_id]
        return mailing.id


def finish() -> None:
    close_wave(WAVE, actor="test")
    mixing.finish(WAVE, actor="test")
    db.session.rollback()


def told_of(numbers: Iterable[str]) -> set[tuple[object, ...]]:
    """What the rows of these people say, but for what is everybody's own; and how often others name them."""
    columns = [column for column in Invitation.__table__.columns if column.name not in ONE_EACH]
    others = [row for name, rows in everything().items() if name != "invitation" for row in rows]
    with db.engine.connect() as connection:
        return {
            (*row, sum(number in other for other in others))
            for number in numbers
            for row in connection.execute(sa.select(*columns).where(Invitation.id == number))
        }


def states() -> set[str]:
    with db.engine.connect() as connection:
        return set(connection.scalars(sa.select(Invitation.state)))


def the_follow_up() -> FollowUp:
    db.session.rollback()
    return follow_up(db.session.get_one(WaveFrame, WAVE))


@pytest.mark.abuse("AC-20")
def test_the_database_does_not_tell_who_answered_any_more(asked: list[str]) -> None:
    assert told_of(asked[ANSWERING]).isdisjoint(told_of(asked[SILENT]))  # control: it did before
    finish()
    assert told_of(asked[ANSWERING]) == told_of(asked[SILENT]) == {(WAVE, 1, False, False, OVER, 0)}
    assert ANSWERED not in states()


def test_the_counts_of_people_and_of_messages_stay(asked: list[str]) -> None:
    before = the_follow_up()
    finish()
    after = the_follow_up()
    assert (after.whole, after.strata) == (before.whole, before.strata)
    assert (after.whole.complete, after.whole.started, after.whole.refused) == (14, 15, 2)
    reminder, invitation = planning.mailings_of(WAVE)
    assert planning.progress(db.session(), invitation.id) == {"sent": 30}
    assert planning.progress(db.session(), reminder.id) == {"sent": 14, "cancelled": 1}
    assert (invitation.state, reminder.state) == (queue.DONE, queue.DONE)
    with db.engine.connect() as connection:
        assert balance(connection, WAVE) == (14, 0, 14, 0)


def test_what_the_mail_of_the_results_needs_is_still_known(asked: list[str]) -> None:
    finish()
    kept = [invited.invitation(number).state for number in asked[25:]]
    assert kept == [OVER, "wrong_person", "unreachable", "objected", "withdrawn"]
    assert set(FORGOTTEN) | {OVER, *kept} == set(STATES)
    assert set(DISPOSITION) == set(STATES) - {OVER}


def test_a_mailing_of_the_results_is_not_forgotten(asked: list[str]) -> None:
    of_results = mail("results", dict.fromkeys(asked, "queued"))
    finish()
    assert planning.progress(db.session(), of_results) == {"queued": 30}


def test_a_message_that_is_leaving_at_that_moment_is_counted_as_uncertain(asked: list[str]) -> None:
    late = mail("reminder", {asked[20]: "sending", asked[21]: "queued"})
    with db.session.begin():
        found = db.session.scalars(sa.select(MailMessage).where(MailMessage.state == "sending")).one()
        attempt = queue.Attempt(found.id, found.attempts)
    finish()
    with write_transaction() as transaction:  # the sender comes back with what it knows
        queue.settle(transaction, attempt, Delivery(SENT, "250 OK"), NOW)
    assert planning.progress(db.session(), late) == {"uncertain": 1, "cancelled": 1}


def test_a_draft_of_a_mailing_stays_a_draft(asked: list[str]) -> None:
    draft = planning.create_mailing(WAVE, "reminder", actor="test").id
    finish()
    found = db.session.get_one(Mailing, draft)
    assert (found.state, found.counts) == (queue.DRAFT, None)


def test_editions_that_were_mixed_by_an_earlier_version_are_forgotten_too(asked: list[str]) -> None:
    finish()
    with write_transaction() as transaction:
        transaction.get_one(Invitation, asked[0]).state = ANSWERED
        transaction.get_one(Invitation, asked[20]).state = WAITING
    assert mixing.unfinished() == [WAVE]
    assert mixing.finish(WAVE, actor="test") == 0
    assert (mixing.unfinished(), told_of(asked[SILENT])) == ([], told_of(asked[ANSWERING]))


def test_afterwards_an_objection_and_a_dead_address_are_still_taken(asked: list[str]) -> None:
    finish()
    secret = unsubscribe_token(invited.invitation(asked[0]))
    assert transitions.unsubscribe(secret)
    assert transitions.object_for_good(invited.holder(asked[20]))
    with write_transaction() as transaction:
        for number in (asked[1], asked[21]):
            transitions.mark_unreachable(transaction, transaction.get_one(Invitation, number))
    found = [invited.invitation(asked[place]).state for place in (0, 20, 1, 21)]
    assert found == ["objected", "objected", "unreachable", "unreachable"]
    assert the_follow_up().whole.complete == 14


def test_whoever_holds_a_link_by_hand_objects_for_nobody_else_afterwards(asked: list[str]) -> None:
    transitions.pass_on(invited.holder(asked[20]))
    finish()
    assert not transitions.object_for_good(invited.holder(asked[20]))
    assert invited.invitation(asked[20]).state == OVER


def test_no_link_is_given_anew_afterwards(asked: list[str]) -> None:
    finish()
    with pytest.raises(WaveIsOver, match="ses liens ne changent plus"):
        transitions.reissue(asked[0], actor="test")


def test_the_term_of_the_officials_takes_the_counts_of_no_mailing(asked: list[str]) -> None:
    finish()
    later = dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    purge(RetentionTerms(), by="cron", now=later)
    assert invited.count(Invitation) == 0
    assert [planning.progress(db.session(), one.id)["sent"] for one in planning.mailings_of(WAVE)] == [14, 30]
