"""The worker judges by itself, survives outages, and can be killed at any moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import DatabaseUnavailable, db
from survey_app.models import InboxRecord, Response
from survey_app.responses import tallies
from survey_app.responses.counts import fieldwork
from survey_app.responses.intake import Intake, judge_waiting
from survey_app.responses.worker import Judge
from tests.survey_app import records
from tests.survey_app.records import NOW, WAVE, a_record, take

JUDGE = """
import sys
from flask import Flask
from survey_app.database import install
from survey_app.responses.worker import Judge
from survey_app.settings import testing
app = Flask("judge")
install(app, testing(database_url=sys.argv[1]))
judge = Judge(app, 0.01)
print("started", flush=True)
judge.run()
"""


def responses() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(Response)) or 0


def wait_until(true: Callable[[], bool], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def test_the_worker_judges_what_arrives(database: Flask) -> None:
    records.open_a_wave()
    judge = Judge(database, poll_seconds=0.01)
    judge.start()
    for _ in range(3):
        take(a_record())
    assert wait_until(lambda: responses() == 3)
    judge.stop()
    assert fieldwork(WAVE).counted == 3


@pytest.mark.parametrize("fault", [DatabaseUnavailable, RuntimeError, LookupError])
def test_the_worker_goes_on_after_any_fault(
    sqlite_app_database: Flask, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    records.open_a_wave()
    take(a_record())
    monkeypatch.setattr(Judge, "pause_after_fault_seconds", 0.01)
    original, calls = Intake.judge_waiting, []

    def failing_first(self: Intake, *args: Any) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise fault("gone")
        return original(self, *args)

    monkeypatch.setattr(Intake, "judge_waiting", failing_first)
    judge = Judge(sqlite_app_database, poll_seconds=0.01)
    judge.start()
    assert wait_until(lambda: responses() == 1)
    assert judge.is_alive
    judge.stop()
    assert not judge.is_alive


def test_the_log_says_where_the_worker_failed_and_quotes_nothing(
    sqlite_app_database: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = "Madame Exemple"

    def failing(self: Intake, *args: Any) -> int:
        raise LookupError(answer)

    monkeypatch.setattr(Intake, "judge_waiting", failing)
    Judge(sqlite_app_database).take_step()
    assert "LookupError" in caplog.text
    assert "in failing" in caplog.text
    assert answer not in caplog.text


def test_the_settings_say_whether_a_process_judges(sqlite_app_database: Flask) -> None:
    assert Judge.start_in(sqlite_app_database) is None


def test_judges_killed_at_work_leave_every_record_counted_exactly_once(database: Flask) -> None:
    records.open_a_wave()
    for _ in range(300):
        take(a_record(), now=NOW)
    url = db.engine.url.render_as_string(hide_password=False)
    for milliseconds in (30, 80, 150):
        judges = [
            subprocess.Popen([sys.executable, "-c", JUDGE, url], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for judge in judges:
            assert judge.stdout is not None
            judge.stdout.readline()
        time.sleep(milliseconds / 1000)
        for judge in judges:
            judge.send_signal(signal.SIGKILL)
            judge.communicate()
    judge_waiting(now=NOW)
    with db.engine.connect() as connection:
        assert tallies.differences(connection, WAVE) == []
        waiting = sa.select(sa.func.count()).where(InboxRecord.judged_at.is_(None))
        assert connection.scalar(waiting) == 0
    assert (responses(), fieldwork(WAVE).counted) == (300, 300)
