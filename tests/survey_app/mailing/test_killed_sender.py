"""Killed at each step, on each database: nothing lost, nothing repeated by itself, the doubtful is shown."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask

from survey_app.database import db
from survey_app.mailing import lease, planning
from survey_app.mailing.sender import Sender
from survey_app.settings import Settings
from tests.survey_app.mailing import field
from tests.survey_app.mailing.killed_sender import (
    ACCEPTED,
    BEFORE_COMMIT,
    BEFORE_MARK,
    MARKED,
    STEPS,
    WRITTEN,
)
from tests.survey_app.mailing.relay import ScriptedRelay
from tests.survey_app.mailing.test_sending import Clock, drain

ROOT = Path(__file__).parents[3]
COUNT = 4
DOUBTFUL = {MARKED: 0, ACCEPTED: 1, BEFORE_COMMIT: 1}
"""The steps that leave a message in doubt, and whether the relay has it."""


def kill_a_sender(folder: Path, port: int, step: str, number: int, order: str = "ours") -> None:
    url = db.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.survey_app.mailing.killed_sender", url, str(folder), str(port)]
    done = subprocess.run(
        [*command, step, str(number), order],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def received(relay: ScriptedRelay) -> Counter[str]:
    return Counter(one.recipients[0] for one in relay.accepted)


def later(settings: Settings) -> None:
    """The server starts again, after the lease of the dead sender has ended."""
    clock = Clock()
    clock.pass_by(dt.timedelta(seconds=lease.SECONDS + 1))
    drain(Sender(settings, clock), clock)


@pytest.mark.parametrize("number", [2, pytest.param(1, marks=pytest.mark.deep)])
@pytest.mark.parametrize("step", STEPS)
def test_a_sender_killed_at_a_step(
    database: Flask, settings: Settings, relay: ScriptedRelay, tmp_path: Path, step: str, number: int
) -> None:
    field.open_a_list(field.many(COUNT))
    mailing = field.planned()
    kill_a_sender(tmp_path, relay.port, step, number)
    later(settings)
    doubtful = step in DOUBTFUL
    assert field.states().count("uncertain") == doubtful
    assert field.states().count("sent") == COUNT - doubtful
    assert max(received(relay).values()) == 1
    assert len(relay.accepted) == COUNT - doubtful + DOUBTFUL.get(step, 0)
    shown = planning.messages(db.session(), mailing, planning.UNDECIDED)
    assert [message.last_reply for message, _ in shown] == ["Arrêt du serveur pendant l’envoi."] * doubtful


@pytest.mark.parametrize("step", [ACCEPTED, BEFORE_COMMIT])
def test_control_the_naive_order_repeats_the_message(
    sqlite_app_database: Flask, on_sqlite: Settings, relay: ScriptedRelay, tmp_path: Path, step: str
) -> None:
    """Send, then mark: after the same kill somebody gets the same mail twice, and nobody is told."""
    field.open_a_list(field.many(COUNT))
    field.planned()
    kill_a_sender(tmp_path, relay.port, step, 1, "naive")
    later(on_sqlite)
    assert field.states() == ["sent"] * COUNT
    assert max(received(relay).values()) == 2


def test_a_message_in_doubt_waits_while_the_lease_of_the_dead_sender_lasts(
    sqlite_app_database: Flask, on_sqlite: Settings, relay: ScriptedRelay, tmp_path: Path
) -> None:
    field.open_a_list(field.many(2))
    field.planned()
    kill_a_sender(tmp_path, relay.port, ACCEPTED, 1)
    drain(Sender(on_sqlite))
    assert field.states() == ["sending", "queued"]


def test_the_steps_are_all_of_them() -> None:
    assert {*DOUBTFUL, BEFORE_MARK, WRITTEN} == set(STEPS)
