"""Nobody can say who gave which answer: not with the database, every copy, order, transactions and sizes."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from math import sqrt

import pytest
import sqlalchemy as sa
from flask import Flask
from scipy.stats import spearmanr  # noqa: TID251 (a test may take its time)

from survey_app.database import db
from survey_app.invitation_models import AnonymousText, Invitation, SavedInterview, SealedAnswer, WaveFrame
from survey_app.invitations import drafts, wave_keys
from survey_app.invitations.mixing import finish
from survey_app.invitations.redemption import Holder, hand_in
from survey_app.invitations.sealed_answers import open_answer
from survey_app.invitations.transitions import save_draft
from survey_app.models import Response
from survey_app.responses.record_keys import KeyMissing
from tests.survey_app import records
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.campaign import ANSWERING, MONDAY, SEEDS, Campaign, content, told
from tests.survey_app.invitations.invited import ASKED, close
from tests.survey_app.invitations.linkage import (
    TRACES,
    everything,
    hits,
    naive_campaign,
    naive_of_one_trace,
    rows_in_storage,
    within_cells,
)


@pytest.mark.abuse("AC-20")
@pytest.mark.abuse("AC-22")
@pytest.mark.abuse("AC-27")
@pytest.mark.timeout(900)
def test_after_the_mixing_no_trace_tells_who_gave_which_answer(database: Flask) -> None:
    """G-07: of 4,000 guesses of each kind 20 hit by chance; more than 40 do so once in ten thousand times."""
    digest = records.publish(ASKED)
    found: dict[str, int] = defaultdict(int)
    in_cells, expected = 0, 0.0
    for seed in range(SEEDS):
        campaign = Campaign(digest, seed)
        campaign.run()
        assert finish(campaign.wave, actor="test") == ANSWERING
        loot = campaign.loot()
        assert (len(loot.participations), len(loot.answers)) == (ANSWERING, ANSWERING)
        for name, follow in TRACES.items():
            found[name] += hits(follow(loot), campaign.truth)
        guess, by_chance = within_cells(loot, campaign.chance)
        in_cells, expected = in_cells + hits(guess, campaign.truth), expected + by_chance
    assert max(found.values()) <= 40, dict(found)
    # The stratum and the week may be known: they leave eleven people at least.
    assert expected <= SEEDS * ANSWERING / 11
    assert in_cells <= expected + 4 * sqrt(expected), (in_cells, expected)


@pytest.mark.timeout(300)
def test_the_same_attacker_reads_a_naive_build_like_an_open_book(database: Flask) -> None:
    """Control: the traces are there to be read where nothing was mixed."""
    found: dict[str, int] = defaultdict(int)
    for seed in range(SEEDS):
        chance = random.Random(seed)
        arrivals = [
            (f"{chance.getrandbits(128):032x}", "niort", place, f"{chance.getrandbits(128):032x}")
            for place in range(ANSWERING)
        ]
        truth = {number: content for number, _stratum, content, _name in arrivals}
        loot = naive_campaign(arrivals)
        for name, guess in TRACES.items():
            found[name] += hits(guess(loot), truth)
    assert found["place"] >= 3_800, dict(found)
    assert found["transaction"] >= 3_800, dict(found)


@pytest.mark.parametrize("trace", ["copies", "name", "size"])
def test_each_other_guess_finds_the_one_trace_that_a_naive_build_keeps(trace: str) -> None:
    """Control: each guess has teeth, and none of the others bites on that trace."""
    loot, truth = naive_of_one_trace(trace, ANSWERING, random.Random(5))
    assert hits(TRACES[trace](loot), truth) == ANSWERING
    assert all(hits(guess(loot), truth) <= 20 for name, guess in TRACES.items() if name != trace)


def test_no_row_anywhere_names_both_a_participant_and_an_answer(database: Flask) -> None:
    """All tables: log of acts, mails, drafts and flags too. Numbers of one side occur on no other."""
    campaign = Campaign(records.publish(ASKED), 9, people=40, answering=30)
    before = everything()
    assert before["sampled_unit"]
    campaign.run()
    finish(campaign.wave, actor="test")
    tables = everything()
    people = {number for number in campaign.truth}
    with db.engine.connect() as connection:
        answers = set(connection.scalars(sa.select(Response.record_id)))
        answers |= set(connection.scalars(sa.select(AnonymousText.id)))
    answer_side = {"response", "anonymous_text"}
    for name, rows in tables.items():
        text = "\n".join(rows)
        assert not (name in answer_side and any(number in text for number in people)), name
        assert not (name not in answer_side and any(number in text for number in answers)), name
    assert len(answers) > 30
    assert (tables["saved_interview"], tables["sealed_answer"]) == ([], [])
    assert {tuple(row.flags) for row in invited.responses()} == {()}
    assert len({row.questionnaire_digest for row in invited.responses()}) == 1


@pytest.mark.abuse("AC-21")
@pytest.mark.timeout(300)
def test_neither_table_keeps_the_order_of_arrival(database: Flask) -> None:
    """Of 500 answers: |ρ| stays below 0.2, 4.5 standard errors."""
    campaign = Campaign(records.publish(ASKED), 4, people=520, answering=500)
    campaign.run()
    pool = rows_in_storage("sealed_answer", "id", "wave_id = :wave", wave=campaign.wave)
    assert len(pool) == 500
    finish(campaign.wave, actor="test")
    loot = campaign.loot()
    by_row = sorted(loot.answers, key=lambda given: given.place)
    arrival = {content: place for place, content in enumerate(campaign.truth.values())}
    assert abs(spearmanr([arrival[given.content] for given in by_row], range(500)).statistic) < 0.2
    people = sorted(loot.participations, key=lambda one: one.place)
    arrived = [campaign.arrivals.index(one.number) for one in people]
    assert abs(spearmanr(arrived, range(500)).statistic) < 0.2
    assert len({one.transaction for one in people}) == 1
    assert len({given.transaction for given in loot.answers}) == 1


@pytest.mark.abuse("AC-27")
def test_with_a_copy_after_every_answer_the_key_opens_everything_until_it_is_destroyed(
    database: Flask,
) -> None:
    """Teeth: what keeps the insider out is the key, and then its end."""
    campaign = Campaign(records.publish(ASKED), 7, people=40, answering=30)
    stolen: dict[str, bytes] = {}
    known: set[str] = set()
    for number in campaign.arrivals:
        hand_in(
            Holder(number, 1),
            {"waiting": ["good"], **told(campaign.truth[number])},
            questionnaire=ASKED,
            digest=campaign.digest,
            language="fr",
            today=MONDAY,
        )
        with db.engine.connect() as connection:
            pool = {
                row.id: bytes(row.sealed) for row in connection.execute(sa.select(SealedAnswer.__table__))
            }
        ((new, sealed),) = [(key, value) for key, value in pool.items() if key not in known]
        known.add(new)
        stolen[number] = sealed
    key_id = str(db.session.get_one(WaveFrame, campaign.wave).key_id)
    db.session.rollback()
    private = wave_keys.held().private(campaign.wave, key_id)
    opened = {
        number: content(open_answer(sealed, private, campaign.wave).answers)
        for number, sealed in stolen.items()
    }
    assert opened == campaign.truth
    close(campaign.wave)
    finish(campaign.wave, actor="test")
    with pytest.raises(KeyMissing):
        wave_keys.held().private(campaign.wave, key_id)
    assert not list(wave_keys.held().folder.iterdir())


@pytest.mark.abuse("AC-22")
def test_no_column_near_an_answer_tells_more_than_its_week(database: Flask) -> None:
    names = ("response", "sealed_answer", "invitation", "anonymous_text", "saved_interview")
    near = [Response.metadata.tables[name] for name in names]
    timed = [
        f"{table.name}.{column.name}"
        for table in near
        for column in table.columns
        if issubclass(column.type.python_type, dt.date | dt.time)
    ]
    assert timed == ["response.answered_on"]
    assert Response.__table__.c.answered_on.type.python_type is dt.date


def test_nothing_sealed_is_left_in_the_files_of_sqlite(sqlite_app_database: Flask) -> None:
    campaign = Campaign(records.publish(ASKED), 3, people=40, answering=30)
    campaign.run()
    with db.engine.connect() as connection:
        sealed = [bytes(one) for one in connection.scalars(sa.select(SealedAnswer.sealed))]
    folder = sqlite_app_database.extensions["survey_settings"].data_folder
    stored = b"".join(path.read_bytes() for path in folder.glob("survey.db*"))
    assert all(one[:64] in stored for one in sealed)  # control: before the mixing they are there
    finish(campaign.wave, actor="test")
    stored = b"".join(path.read_bytes() for path in folder.glob("survey.db*"))
    assert not any(one[at : at + 64] in stored for one in sealed for at in range(0, len(one) - 64, 4096))


def test_an_old_copy_of_a_draft_opens_until_the_wave_ends_and_never_again(database: Flask) -> None:
    """The attacker has a copy of the row, all links and the master key; the secret of the wave is gone."""
    number, *others = invited.a_wave(40)
    save_draft(Holder(number, 1), {"answers": {"minutes": 17}}, ASKED)
    with db.engine.connect() as connection:
        row = dict(connection.execute(sa.select(SavedInterview.__table__)).mappings().one())
    for other in (number, *others[:29]):
        invited.answer(other)

    def opened() -> object:
        with db.session.begin():
            db.session.merge(SavedInterview(**row))
            said = drafts.read(db.session(), db.session.get_one(Invitation, number))
            db.session.rollback()
        return said

    db.session.rollback()
    assert opened() == {"answers": {"minutes": 17}}  # control: what keeps the insider out is the secret
    close()
    finish(invited.WAVE, actor="test")
    db.session.rollback()
    assert opened() is None
    assert not list(wave_keys.held().folder.iterdir())
