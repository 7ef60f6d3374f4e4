"""Killed at any step, begun twice at once, held up: the next run ends it, and every answer counts once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pysqlite3 import dbapi2 as sqlite

from survey_app.database import DatabaseUnavailable, db
from survey_app.invitation_models import SealedAnswer, WaveFrame
from survey_app.invitations import mixing, wave_keys
from survey_app.invitations.mixing import STEPS, finish, unfinished
from survey_app.invitations.pool import MixingError
from survey_app.responses.record_keys import KeyMissing
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import WAVE, a_wave, close
from tests.survey_app.invitations.test_mixing import (
    ROOT,
    consumed_equals_sealed_plus_mixed,
    is_finished,
    log,
    some_answers,
)


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
