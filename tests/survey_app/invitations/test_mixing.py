"""Closed, mixed once, the key destroyed: whatever is killed when, every answer is counted exactly once."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pysqlite3 import dbapi2 as sqlite

from form_definitions import Item
from survey_app.database import DatabaseUnavailable, db, write_transaction
from survey_app.invitation_models import AnonymousText, Invitation, SavedInterview, SealedAnswer, WaveFrame
from survey_app.invitations import mixing, wave_keys
from survey_app.invitations.cells import KNOWN_BY_THE_FRAME
from survey_app.invitations.mixing import STEPS, MixingError, finish, unfinished
from survey_app.invitations.transitions import save_draft
from survey_app.models import AuditEntry, WaveQuestionnaire
from survey_app.responses import counts, tallies
from survey_app.responses.link_balance import balance
from survey_app.responses.purge import purge
from survey_app.responses.record_keys import KeyMissing
from survey_app.settings import RetentionTerms
from survey_app.strata import SIZES
from tests.survey_app import records
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import ANSWERS, ASKED, TODAY, WAVE, a_wave, answer, close, holder

ROOT = Path(__file__).resolve().parents[3]


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
    source = (ROOT / "form_definitions" / "questionnaires" / "elected_officials.yaml").read_text("utf-8")
    assert not [name for name in KNOWN_BY_THE_FRAME if name in source]
    assert not [code for code, _end, _words in SIZES if code in source]


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


def test_without_its_key_nothing_is_mixed_and_with_its_copy_everything_is(database: Flask) -> None:
    some_answers()
    frame = db.session.get_one(WaveFrame, WAVE)
    path = wave_keys.held().path(WAVE, str(frame.key_id))
    copy = path.rename(path.with_suffix(".copy"))
    close()
    with pytest.raises(KeyMissing, match="Remettez son fichier"):
        finish(WAVE, actor="test")
    assert (invited.responses(), invited.count(SealedAnswer)) == ([], 50)
    copy.rename(path)
    finish(WAVE, actor="test")
    assert is_finished(50)


def test_an_answer_that_does_not_open_leaves_everything_as_it_was(database: Flask) -> None:
    some_answers()
    with write_transaction() as transaction:
        one = transaction.scalars(sa.select(SealedAnswer).limit(1)).one()
        one.sealed = one.sealed[:-1] + bytes([one.sealed[-1] ^ 1])
    close()
    with pytest.raises(MixingError, match="ne s’ouvre pas"):
        finish(WAVE, actor="test")
    assert (invited.responses(), invited.count(SealedAnswer)) == ([], 50)
    assert wave_keys.held().path(WAVE, str(db.session.get_one(WaveFrame, WAVE).key_id)).exists()


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_run_ends_it(database: Flask, tmp_path: Path, step: str) -> None:
    some_answers(24, 22)
    close()
    url = str(database.extensions["survey_settings"].database_url)
    command = [sys.executable, "-m", "tests.survey_app.invitations.killed_mixing", url, str(tmp_path), step]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run(command, cwd=ROOT, env=environment, timeout=60, check=False)
    assert killed.returncode == -9
    assert consumed_equals_sealed_plus_mixed()
    assert invited.count(SealedAnswer) == (22 if step in ("opened", "written") else 0)
    finish(WAVE, actor="test")
    assert is_finished(22)
    assert log() == ["wave-mixed", "wave-key-destroyed"]


def test_two_who_finish_at_once_count_each_answer_once(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who comes second in the middle of the other finds nothing to do."""
    some_answers()
    close()

    def again(step: str) -> None:
        if step == "mixed":
            monkeypatch.setattr(mixing, "reached", lambda _step: None)
            finish(WAVE, actor="other")

    monkeypatch.setattr(mixing, "reached", again)
    finish(WAVE, actor="test")
    assert is_finished(50)
    assert log() == ["wave-mixed", "wave-key-destroyed"]


def test_a_database_that_is_busy_is_tried_again_and_the_key_waits(sqlite_app_database: Flask) -> None:
    """Somebody else writes for longer than one waits: nothing is lost, and the next run ends it."""
    some_answers(24, 22)
    close()
    folder = sqlite_app_database.extensions["survey_settings"].data_folder
    other = sqlite.connect(folder / "survey.db", isolation_level=None)
    before = mixing.reached

    def hold(step: str) -> None:
        if step == "forgotten":
            other.execute("BEGIN IMMEDIATE")

    vars(mixing)["reached"] = hold
    try:
        with pytest.raises(DatabaseUnavailable):
            finish(WAVE, actor="test")
    finally:
        vars(mixing)["reached"] = before
        other.execute("ROLLBACK")
        other.close()
    assert not is_finished(22)
    assert consumed_equals_sealed_plus_mixed()
    finish(WAVE, actor="test")
    assert is_finished(22)


def test_two_who_finish_in_the_same_moment_destroy_the_key_once(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_answers(24, 22)
    close()
    both, faults = threading.Barrier(2), list[BaseException]()

    def wait_for_the_other(step: str) -> None:
        if step == "compacted":
            both.wait(20)

    def run() -> None:
        try:
            with database.app_context():
                finish(WAVE, actor="test")
        except BaseException as fault:  # noqa: BLE001 (the test says which)
            faults.append(fault)

    monkeypatch.setattr(mixing, "reached", wait_for_the_other)
    runs = [threading.Thread(target=run) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert faults == []
    assert is_finished(22)
    assert log() == ["wave-mixed", "wave-key-destroyed"]


def test_a_key_that_another_process_took_away_in_between_is_no_fault(
    database: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_wave()
    key_id = str(db.session.get_one(WaveFrame, WAVE).key_id)
    wave_keys.held().destroy(WAVE, key_id)
    monkeypatch.setattr(Path, "exists", lambda _path: True)
    wave_keys.held().destroy(WAVE, key_id)


def test_the_key_goes_only_when_the_log_of_sqlite_is_empty(sqlite_app_database: Flask) -> None:
    """A backup that reads meanwhile keeps the sealed answers in the log."""
    some_answers(24, 22)
    with db.engine.connect() as reader:
        reader.scalar(sa.select(sa.func.count()).select_from(SealedAnswer))
        close()
        with pytest.raises(MixingError, match="cela se fait tout seul"):
            finish(WAVE, actor="test")
        assert unfinished() == [WAVE]
        assert list(wave_keys.held().folder.iterdir())
    finish(WAVE, actor="test")
    assert is_finished(22)


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
