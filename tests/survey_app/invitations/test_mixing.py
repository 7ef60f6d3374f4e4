"""Closed, mixed once, the key destroyed: whatever is killed when, every answer is counted exactly once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from form_definitions import Item, load_questionnaire
from survey_app.database import db, write_transaction
from survey_app.invitation_models import AnonymousText, Invitation, SavedInterview, SealedAnswer, WaveFrame
from survey_app.invitations import mixing, wave_keys
from survey_app.invitations.cells import KNOWN_BY_THE_FRAME
from survey_app.invitations.mixing import finish, unfinished
from survey_app.invitations.transitions import save_draft
from survey_app.models import AuditEntry, WaveQuestionnaire
from survey_app.responses import counts, tallies
from survey_app.responses.link_balance import balance
from survey_app.responses.purge import purge
from survey_app.settings import RetentionTerms
from survey_app.strata import SIZES
from tests.survey_app import records
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import ANSWERS, ASKED, TODAY, WAVE, a_wave, answer, close, holder

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "form_definitions" / "questionnaires" / "elected_officials.yaml"


def some_answers(people: int = 60, answering: int = 50) -> list[str]:
    """Fifty of sixty answer over four weeks, every fifth with a text."""
    numbers = a_wave(people)
    for place, number in enumerate(numbers[:answering]):
        text = {"comment": f"Texte {place}", "reasons": ["other"], "reasons.other": f"Autre {place}"}
        said = {**ANSWERS, "minutes": place, **(text if place % 5 == 0 else {})}
        answer(number, said, today=TODAY + dt.timedelta(days=7 * (place % 3)))
    return numbers


def consumed_equals_sealed_plus_mixed() -> bool:
    """Invariant I10."""
    with db.engine.connect() as connection:
        return balance(connection, WAVE).is_even


def log() -> list[str]:
    with db.engine.connect() as connection:
        acts = connection.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id))
        return [act for act in acts if act.startswith(("wave-", "answers-"))]


def is_finished(answering: int) -> bool:
    with db.engine.connect() as connection:
        same = tallies.differences(connection, WAVE) == []
        cells = tallies.stored_cells(connection, WAVE)
    frame = db.session.get_one(WaveFrame, WAVE, populate_existing=True)
    db.session.rollback()
    gone = not wave_keys.held().path(WAVE, str(frame.key_id)).exists()
    done = frame.mixed_at is not None and frame.key_destroyed_at is not None
    counted = sum(int(vector[0]) for vector in cells.values())
    everything = len(invited.responses()) == counted == answering
    return same and gone and done and everything and consumed_equals_sealed_plus_mixed()


def test_the_answers_come_out_of_the_pool_and_into_the_figures(database: Flask) -> None:
    some_answers()
    close()
    assert unfinished() == [WAVE]
    assert finish(WAVE, actor="test") == 50
    assert is_finished(50)
    assert sorted(row.answers["minutes"] for row in invited.responses()) == list(range(50))
    assert (unfinished(), finish(WAVE, actor="test")) == ([], 0)
    assert log() == ["wave-mixed", "wave-key-destroyed"]


def test_an_answer_keeps_its_stratum_and_week_and_no_more(database: Flask) -> None:
    some_answers()
    close()
    finish(WAVE, actor="test")
    rows = invited.responses()
    cells = Counter((row.site, row.answered_on) for row in rows)
    assert {site for site, _day in cells} <= set(invited.STRATA)
    assert min(cells.values()) >= 11
    assert all(day.weekday() == 0 for _site, day in cells)
    assert {(row.mode, row.complete, row.practice) for row in rows} == {("personal_link", True, False)}
    numbers = {one for row in db.session.execute(sa.select(Invitation.__table__)) for one in map(str, row)}
    assert not numbers & {row.record_id for row in rows}


def test_free_texts_lie_apart_from_all_that_could_name_their_author(database: Flask) -> None:
    some_answers()
    close()
    finish(WAVE, actor="test")
    assert {column.name for column in AnonymousText.__table__.columns} == {"id", "wave_id", "item", "text"}
    texts = db.session.execute(sa.select(AnonymousText.item, AnonymousText.text)).all()
    assert Counter(item for item, _text in texts) == {"comment": 10, "reasons.other": 10}
    assert all(
        "comment" not in row.answers and "reasons.other" not in row.answers for row in invited.responses()
    )
    assert not any("Texte" in repr(row) for row in invited.responses())


@pytest.mark.abuse("AC-23")
def test_a_stratum_of_ten_answers_joins_another_and_the_frame_says_so(database: Flask) -> None:
    numbers = a_wave(60)
    by_stratum: dict[str, list[str]] = {}
    for number in numbers:
        by_stratum.setdefault(invited.invitation(number).stratum, []).append(number)
    for number in [*by_stratum["niort"][:20], *by_stratum["parthenay"][:12], *by_stratum["bressuire"][:10]]:
        answer(number)
    close()
    finish(WAVE, actor="test")
    assert Counter(row.site for row in invited.responses()) == {"niort": 20, "parthenay": 22}
    strata = {one["code"]: one["merged_into"] for one in db.session.get_one(WaveFrame, WAVE).strata}
    assert strata == {"niort": None, "parthenay": None, "bressuire": "parthenay"}


@pytest.mark.abuse("AC-23")
def test_what_the_list_knows_takes_no_merged_cell_apart_again(database: Flask) -> None:
    """Office and size were questions once: with the stratum and the week they would name a mayor."""
    known = tuple(
        Item(name=name, question_type="single_choice", label=name, options=records.options("one", "two"))
        for name in ("office_held", "commune_size")
    )
    section = ASKED.sections[0].model_copy(update={"blocks": (*ASKED.items, *known)})
    asked = ASKED.model_copy(update={"sections": (section,)})
    for place, number in enumerate(a_wave(60, questionnaire=asked)):
        told = {"office_held": ["two" if place == 7 else "one"], "commune_size": ["one"]}
        answer(number, {**ANSWERS, **told}, questionnaire=asked)
    close()
    finish(WAVE, actor="test")
    rows = invited.responses()
    kept = ("office_held", "commune_size")
    cells = Counter((row.site, row.answered_on, *(str(row.answers.get(k)) for k in kept)) for row in rows)
    assert (sum(cells.values()), min(cells.values()) >= 11) == (60, True)
    assert {tuple(row.flags) for row in rows} == {()}


def test_the_shipped_questionnaire_does_not_ask_what_the_list_knows() -> None:
    source = SHIPPED.read_text("utf-8")
    assert not [name for name in KNOWN_BY_THE_FRAME if name in source]
    assert not [code for code, _end, _words in SIZES if code in source]


def test_the_shipped_questionnaire_asks_who_answers() -> None:
    asked = load_questionnaire(SHIPPED).items_by_name
    assert [option.code for option in asked["respondent"].options] == [
        "official",
        "secretary",
        "other_person",
    ]
    assert asked["respondent"].requirement != "required"


@pytest.mark.abuse("AC-23")
def test_one_answer_to_an_older_version_does_not_stand_alone(database: Flask) -> None:
    """The wave moved on after it; the other strata stay as they are."""
    kept = tuple(item for item in ASKED.items if item.name != "courtesy")
    section = ASKED.sections[0].model_copy(update={"blocks": kept})
    newer = ASKED.model_copy(update={"sections": (section,)})
    digest = records.publish(newer)
    numbers = a_wave(60)
    answer(numbers[0], {**ANSWERS, "minutes": 99})
    with write_transaction() as transaction:
        transaction.add(WaveQuestionnaire(wave_id=WAVE, digest=digest, since=invited.NOW))
    invited.set_wave(questionnaire_digest=digest)
    said = {name: value for name, value in ANSWERS.items() if name != "courtesy"}
    for number in numbers[1:]:
        answer(number, said, questionnaire=newer)
    close()
    assert finish(WAVE, actor="test") == 60
    rows = invited.responses()
    assert {(row.questionnaire_digest, tuple(row.flags)) for row in rows} == {(digest, ())}
    assert {row.site for row in rows} == set(invited.STRATA)
    assert {frozenset(row.answers) for row in rows} == {frozenset(said)}
    assert sum(row.answers["minutes"] == 99 for row in rows) == 1
    assert is_finished(60)


@pytest.mark.abuse("AC-23")
@pytest.mark.parametrize("answering", [1, 10])
def test_fewer_than_eleven_answers_are_destroyed_with_the_key(database: Flask, answering: int) -> None:
    """One response beside one used invitation would be a name."""
    for number in a_wave(22)[:answering]:
        answer(number, {**ANSWERS, "comment": "Texte"})
    close()
    assert finish(WAVE, actor="test") == 0
    assert (invited.responses(), invited.count(AnonymousText), invited.count(SealedAnswer)) == ([], 0, 0)
    assert not list(wave_keys.held().folder.iterdir())
    assert log() == ["answers-withheld", "wave-key-destroyed"]
    assert mixing.were_withheld(WAVE)
    with db.engine.connect() as connection:
        assert balance(connection, WAVE) == (answering, 0, 0, answering)
        assert tallies.stored_cells(connection, WAVE) == {}


def test_eleven_answers_are_kept(database: Flask) -> None:
    for number in a_wave(22)[:11]:
        answer(number)
    close()
    assert finish(WAVE, actor="test") == 11
    assert (len(invited.responses()), mixing.were_withheld(WAVE)) == (11, False)


def test_a_nominative_wave_promised_nothing_and_keeps_its_answers(database: Flask) -> None:
    for number in a_wave(12, anonymity="nominative")[:5]:
        answer(number)
    close()
    assert finish(WAVE, actor="test") == 5
    assert (len(invited.responses()), mixing.were_withheld(WAVE)) == (5, False)


def test_saved_interviews_go_with_the_pool(database: Flask) -> None:
    numbers = some_answers()
    save_draft(holder(numbers[-1]), {"answers": ANSWERS}, ASKED)
    close()
    finish(WAVE, actor="test")
    assert (invited.count(SavedInterview), invited.count(SealedAnswer)) == (0, 0)


def test_a_draft_that_came_between_the_mixing_and_the_end_of_the_key_goes_too(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = some_answers()[-1]
    save_draft(holder(number), {"answers": ANSWERS}, ASKED)
    with db.engine.connect() as connection:
        row = dict(connection.execute(sa.select(SavedInterview.__table__)).mappings().one())
    close()

    def bring_back(step: str) -> None:
        if step == "compacted":
            with write_transaction() as transaction:
                transaction.merge(SavedInterview(**row))

    monkeypatch.setattr(mixing, "reached", bring_back)
    finish(WAVE, actor="test")
    assert invited.count(SavedInterview) == 0


def test_a_wave_that_still_takes_answers_is_not_mixed(database: Flask) -> None:
    some_answers()
    assert (unfinished(), finish(WAVE, actor="test")) == ([], 0)
    assert (invited.responses(), invited.count(SealedAnswer)) == ([], 50)


def test_a_wave_without_any_answer_ends_as_well(database: Flask) -> None:
    a_wave()
    close()
    assert finish(WAVE, actor="test") == 0
    assert is_finished(0)


def test_the_texts_go_at_the_end_of_their_term(database: Flask) -> None:
    some_answers()
    close()
    finish(WAVE, actor="test")
    terms = RetentionTerms(free_texts_after_closing=0)
    assert purge(terms, by="test", now=invited.NOW + dt.timedelta(days=1))["free_texts_after_closing"] == 20
    assert invited.count(AnonymousText) == 0
    assert len(invited.responses()) == 50


def test_the_verbatims_of_the_wave_are_read_from_both_places(database: Flask) -> None:
    some_answers()
    close()
    finish(WAVE, actor="test")
    assert sorted(one.text for one in counts.verbatims(WAVE) if one.item == "comment") == sorted(
        f"Texte {place}" for place in range(0, 50, 5)
    )
