"""PostgreSQL is torn down again and again while four senders deliver and the judge works."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import DatabaseUnavailable, db, install
from survey_app.migrations import upgrade
from survey_app.models import InboxRecord, Response
from survey_app.responses import tallies
from survey_app.responses.intake import judge_waiting
from survey_app.settings import testing
from tests.faults.fault_ledger import NO_CLIENT, Run
from tests.faults.ledger import Figures, Stored, read_database
from tests.faults.postgresql_cluster import cluster
from tests.survey_app.records import NOW, TABLET, WAVE, a_record, open_a_wave, take

pytestmark = pytest.mark.timeout(600)

SENDERS: Final = 4
BETWEEN_SECONDS: Final = 0.15


@dataclass
class Delivery:
    """What senders were told while the database came and went."""

    stop: threading.Event = field(default_factory=threading.Event)
    receipted: list[str] = field(default_factory=list)
    made: list[bytes] = field(default_factory=list)
    refusals: int = 0

    def deliver(self) -> None:
        """As a tablet does: without a receipt the same bytes again."""
        raw = self.next_record()
        while not self.stop.is_set():
            try:
                self.receipted.append(take(raw, TABLET).sha256)
            except DatabaseUnavailable:
                self.refusals += 1
            else:
                raw = self.next_record()

    def next_record(self) -> bytes:
        """Somebody answered."""
        self.made.append(a_record())
        return self.made[-1]

    def judge(self) -> None:
        """As the worker does: after any fault, again."""
        while not self.stop.wait(BETWEEN_SECONDS / 10):
            with contextlib.suppress(DatabaseUnavailable):
                judge_waiting(now=NOW)


@pytest.mark.ledger(NO_CLIENT)
@pytest.mark.parametrize("restarts", [20, pytest.param(60, id="all", marks=pytest.mark.deep)])
def test_immediate_restarts_of_postgresql_lose_nothing_and_count_nothing_twice(
    request: pytest.FixtureRequest, tmp_path: Path, restarts: int
) -> None:
    delivery = Delivery()
    with cluster() as torn, serving(torn.url, tmp_path) as app:
        with running(app, *[delivery.deliver] * SENDERS, delivery.judge, stop=delivery.stop):
            for _ in range(restarts):
                delivery.stop.wait(BETWEEN_SECONDS)
                torn.restart_at_once()
            delivery.stop.wait(BETWEEN_SECONDS)
        judge_waiting(now=NOW)
        run = Run.of(request)
        run.add("postgresql_restarted_at_once", figures(delivery, read_database(torn.url), restarts))
        run.keep()
        assert delivery.refusals > 0, "no restart met a sender at work"
        assert_each_is_there_once(delivery.receipted)


def figures(delivery: Delivery, stored: Stored, restarts: int) -> Figures:
    """What senders were told against what is there."""
    hashes = {content_hash for _, content_hash in stored.records}
    more_than_once = stored.records.total() - len(stored.rows)
    counted_more_than_once = stored.responses.total() - len(stored.responses)
    return Figures(
        faults=restarts,
        attempted=len(delivery.made),
        acknowledged=len(delivery.receipted),
        stored=stored.records.total(),
        lost=len(set(delivery.receipted) - hashes),
        duplicated=more_than_once + counted_more_than_once,
    )


def assert_each_is_there_once(receipted: list[str]) -> None:
    """What was receipted is stored and counted, once; what is stored besides was on its way at the end."""
    with db.engine.connect() as connection:
        stored = connection.scalars(sa.select(InboxRecord.content_hash)).all()
        ids = connection.scalars(sa.select(InboxRecord.id)).all()
        responses = connection.scalars(sa.select(Response.record_id)).all()
        assert len(set(receipted) - set(stored)) == 0
        assert len(set(stored) - set(receipted)) <= SENDERS
        assert sorted(responses) == sorted(ids)
        assert tallies.differences(connection, WAVE) == []


@contextlib.contextmanager
def serving(url: str, folder: Path) -> Iterator[Flask]:
    """The application on this database, with an open wave."""
    app = Flask("torn")
    install(app, testing(database_url=url, data_folder=folder))
    with app.app_context():
        upgrade(db.engine)
        open_a_wave()
        yield app
        db.session.remove()
        db.engine.dispose()


@contextlib.contextmanager
def running(app: Flask, *work: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    """Each in a thread of its own until the block ends."""

    def in_context(one: Callable[[], None]) -> None:
        with app.app_context():
            one()

    threads = [threading.Thread(target=in_context, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
