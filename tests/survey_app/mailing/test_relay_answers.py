"""What the relay says decides: later, refused, uncertain; nothing is lost and nothing repeated by itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from survey_app.database import db
from survey_app.invitation_models import Invitation
from survey_app.mailing import lease, planning, queue, smtp
from survey_app.mailing import sender as sender_module
from survey_app.mailing.sender import PAUSES, Sender
from survey_app.settings import Settings
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay, listening
from tests.survey_app.mailing.test_sending import HOUR, Clock, drain


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
    first, second = map(field.attempt_of, field.messages())
    planning.take_as_arrived(first, actor="référente")
    planning.send_again(second, actor="référente")
    with pytest.raises(planning.MailingError, match="rechargez"):
        planning.send_again(first, actor="référente")
    drain(Sender(on_sqlite, clock), clock)
    assert field.states() == ["sent", "sent"]
    assert field.mailing_state(number) == queue.DONE
    names = [one.message["Message-ID"] for one in relay.accepted]
    assert len(names) == 3
    assert len(set(names)) == 2  # the one sent again kept its name


@pytest.mark.parametrize("decide", [planning.take_as_arrived, planning.send_again])
def test_a_decision_about_an_earlier_try_decides_nothing_about_the_present_one(
    settings: Settings, relay: ScriptedRelay, decide: Callable[..., None]
) -> None:
    """Two referents, one old page: what was asked of the mayor was about another message."""
    field.open_a_list(field.many(1))
    field.planned()
    relay.hang_up_after_data = 2
    clock = Clock()
    drain(Sender(settings, clock), clock)
    seen = field.attempt_of(field.messages()[0])
    planning.send_again(seen, actor="référente")
    drain(Sender(settings, clock), clock)
    assert field.states() == ["uncertain"]
    with pytest.raises(planning.MailingError, match="rechargez"):
        decide(seen, actor="assistante")
    assert field.states() == ["uncertain"]
    decide(field.attempt_of(field.messages()[0]), actor="référente")  # control
    assert field.states() == ["sent" if decide is planning.take_as_arrived else "queued"]


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


def _state_of(number: str) -> str:
    db.session.rollback()
    return db.session.get_one(Invitation, number).state


def _on_port(settings: Settings, port: int) -> Settings:
    return replace(settings, mail=field.mail_settings(port))
