"""One answer per invitation: sealed, padded, and nothing of it readable afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from form_definitions import questionnaire_digest
from survey_app.database import db
from survey_app.invitation_models import Invitation, SavedInterview, SealedAnswer, WaveFrame
from survey_app.invitations import wave_keys
from survey_app.invitations.preparing import prepare_links
from survey_app.invitations.redemption import Holder, hand_in
from survey_app.invitations.sealed_answers import open_answer, size_of
from survey_app.invitations.states import AlreadyAnswered, LinkError, LinkIsDead, WaveIsOver
from survey_app.invitations.transitions import save_draft
from survey_app.responses.record_keys import DoesNotOpen
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import ANSWERS, ASKED, TODAY, WAVE, a_wave, answer, holder

SENTINEL = "Sentinelle que personne ne doit relire"


def pool() -> list[bytes]:
    with db.engine.connect() as connection:
        return [bytes(one) for one in connection.scalars(sa.select(SealedAnswer.sealed))]


def key_of_the_wave() -> tuple[str, WaveFrame]:
    frame = db.session.get_one(WaveFrame, WAVE)
    return str(frame.key_id), frame


def test_an_answer_uses_its_invitation_up_and_lies_sealed_in_the_pool(database: Flask) -> None:
    first, *_others = a_wave()
    answer(first, {**ANSWERS, "comment": SENTINEL})
    assert invited.invitation(first).state == "answered"
    (sealed,) = pool()
    assert SENTINEL.encode() not in sealed
    private = wave_keys.held().private(WAVE, key_of_the_wave()[0])
    opened = open_answer(sealed, private, WAVE)
    assert opened.answers == {**ANSWERS, "comment": SENTINEL}
    assert (opened.stratum, opened.week.isoformat()) == ("niort", "2026-03-09")


def test_an_answer_opens_under_no_other_wave(database: Flask) -> None:
    answer(a_wave()[0])
    private = wave_keys.held().private(WAVE, key_of_the_wave()[0])
    with pytest.raises(DoesNotOpen):
        open_answer(pool()[0], private, "elus-2027")


def test_all_answers_have_one_size_whatever_they_say(database: Flask) -> None:
    numbers = a_wave()
    texts = ["", "x", "é" * 1000, "\U0001f600" * 1000, '"' * 1000]
    for number, text in zip(numbers, texts, strict=False):
        answer(
            number, {**ANSWERS, "comment": text, "reasons": ["other"], "reasons.other": "\U0001f600" * 200}
        )
    assert len({len(sealed) for sealed in pool()}) == 1
    assert len(pool()[0]) > size_of(ASKED)


def test_a_second_answer_is_refused_and_leaves_no_blob(database: Flask) -> None:
    first, *_others = a_wave()
    answer(first)
    with pytest.raises(AlreadyAnswered):
        answer(first)
    assert len(pool()) == 1


def test_an_answer_takes_the_saved_interview_with_it(database: Flask) -> None:
    first, *_others = a_wave()
    save_draft(holder(first), {"answers": ANSWERS}, ASKED)
    answer(first)
    assert invited.count(SavedInterview) == 0


@pytest.mark.parametrize("state", ["draft", "closed", "sealed", "published"])
def test_only_an_open_wave_takes_answers(database: Flask, state: str) -> None:
    first, *_others = a_wave()
    invited.set_wave(state=state)
    with pytest.raises(WaveIsOver):
        answer(first)
    assert (len(pool()), invited.answered()) == (0, 0)


def test_an_unknown_or_older_link_is_dead(database: Flask) -> None:
    first, *_others = a_wave()
    for one in (Holder("0" * 32, 1), Holder(first, 0), Holder(first, 2)):
        with pytest.raises(LinkIsDead):
            hand_in(one, ANSWERS, questionnaire=ASKED, digest="d", language="fr", today=TODAY)
    assert pool() == []


@pytest.mark.abuse("AC-13")
def test_of_two_people_who_race_exactly_one_is_counted_fifty_times(database: Flask) -> None:
    numbers = a_wave(50)
    outcomes: Counter[str] = Counter()
    for number in numbers:
        mine, start = holder(number), threading.Barrier(2)

        def run(mine: Holder = mine, start: threading.Barrier = start) -> None:
            with database.app_context():
                start.wait()
                try:
                    hand_in(mine, ANSWERS, questionnaire=ASKED, digest="d", language="fr", today=TODAY)
                    outcomes["taken"] += 1
                except AlreadyAnswered:
                    outcomes["refused"] += 1

        racers = [threading.Thread(target=run) for _ in range(2)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
    assert outcomes == {"taken": 50, "refused": 50}
    assert (len(pool()), invited.answered()) == (50, 50)


def test_fewer_than_twenty_two_people_are_refused_unless_the_wave_says_nominative(database: Flask) -> None:
    with pytest.raises(LinkError, match="nominative"):
        a_wave(21)
    a_wave(21, wave_id="elus-2027", digest=questionnaire_digest(ASKED), anonymity="nominative")
    assert db.session.get_one(WaveFrame, "elus-2027").nominative


def test_the_key_is_a_file_of_its_own_that_nobody_else_reads(database: Flask) -> None:
    a_wave()
    key_id, frame = key_of_the_wave()
    path = wave_keys.held().path(WAVE, key_id)
    assert path.name.startswith(WAVE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"PRIVATE" in path.read_bytes()
    assert b"PRIVATE" not in bytes(frame.public_key or b"")


def test_no_private_half_is_in_the_database(sqlite_app_database: Flask, tmp_path: Path) -> None:
    a_wave()
    pem = wave_keys.held().path(WAVE, key_of_the_wave()[0]).read_bytes()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("survey.db*"))
    assert pem.splitlines()[1] not in stored


def test_links_are_prepared_again_until_a_mail_holds_one(database: Flask) -> None:
    numbers = a_wave()
    invited.set_wave(state="draft")
    units = [(invited.invitation(number).unit_id, "niort") for number in numbers[:25]]
    key_id, _frame = key_of_the_wave()
    assert prepare_links(WAVE, units, actor="test") == 25
    assert invited.count(Invitation) == 25
    assert key_of_the_wave()[0] == key_id
    invited.set_wave(state="open")
    with pytest.raises(LinkError, match="avant l’ouverture"):
        prepare_links(WAVE, units, actor="test")


def test_whoever_objected_once_is_in_the_list_and_asked_nothing(database: Flask) -> None:
    from survey_app.database import write_transaction
    from survey_app.invitations.links import address_hash
    from survey_app.invitations.objections import add_objection

    with write_transaction() as transaction:
        add_objection(transaction, address_hash("MAIRIE3@exemple.fr"), origin="mail")
    numbers = a_wave()
    states = [invited.invitation(number).state for number in numbers]
    assert states.count("objected") == 1
    assert states[3] == "objected"
