"""The server's disk refuses a flush, or somebody holds its database: whoever got a receipt loses nothing."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from flask import Flask
from pysqlite3 import dbapi2 as sqlite

from survey_app.database import BUSY_TIMEOUT_SECONDS
from tests.faults import victim as work
from tests.faults.held_process import Victim, calls_of, victim
from tests.faults.ledger import look_into
from tests.survey_app.tablet_site import FakeTablet, TabletSite, tablet_site

FLUSH: Final = "fsync"
LONGER_THAN_ANYBODY_WAITS: Final = 2.5 * BUSY_TIMEOUT_SECONDS


@pytest.fixture
def troubled() -> Iterator[Victim]:
    with victim() as started:
        yield started


def a_database(template: Path, folder: Path) -> Path:
    folder.mkdir()
    return Path(shutil.copy(template, folder / "survey.db"))


def test_a_flush_that_the_disk_refuses_gives_no_receipt_and_the_next_one_is_right(
    troubled: Victim, sqlite_template: Path, tmp_path: Path
) -> None:
    calls = calls_of(troubled, "persistent", a_database(sqlite_template, tmp_path / "counted"))
    flushes = sum(name == FLUSH for name, _ in calls)
    assert flushes > work.RECORDS
    for number in range(1, flushes + 1):
        path = a_database(sqlite_template, tmp_path / str(number))
        refusing = (f"--trace={FLUSH}", f"--inject={FLUSH}:error=EIO:when={number}", "--output=/dev/null")
        promised, ended = troubled.run("persistent", path, *refusing)
        assert (ended, len(set(promised))) == (True, work.RECORDS), number
        assert not look_into(path, promised).is_bad, number


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TabletSite]:
    with tablet_site(tmp_path) as made:
        yield made


@contextmanager
def held_for(app: Flask, seconds: float) -> Iterator[None]:
    """Somebody else writes to the database for so long."""
    path = app.extensions["survey_settings"].data_folder / "survey.db"
    held, enough = threading.Event(), threading.Event()

    def hold() -> None:
        other = sqlite.connect(str(path), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held.set()
        enough.wait(seconds)
        other.execute("ROLLBACK")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    yield
    enough.set()
    holder.join()


@pytest.mark.parametrize("seconds", [1, BUSY_TIMEOUT_SECONDS - 1])
def test_a_database_that_somebody_holds_for_seconds_costs_a_tablet_nothing_but_time(
    site: TabletSite, seconds: float
) -> None:
    tablet = FakeTablet.enrolled(site)
    raw, since = tablet.envelope(), time.monotonic()
    with held_for(site.app, seconds):
        assert tablet.is_receipt_for(raw, tablet.put(raw).get_json())
    assert time.monotonic() - since > seconds / 2


def test_a_database_that_somebody_holds_for_longer_makes_the_tablet_come_again(site: TabletSite) -> None:
    tablet = FakeTablet.enrolled(site)
    raw = tablet.envelope()
    with held_for(site.app, LONGER_THAN_ANYBODY_WAITS):
        answer = tablet.put(raw)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert site.records() == []
    assert tablet.is_receipt_for(raw, tablet.put(raw).get_json())
    assert len(site.records()) == 1
