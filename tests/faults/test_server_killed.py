"""The server's process is killed at each call by which it changes the disk or tells others of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from survey_app import migrations, server_facts
from survey_app.backups import manifest, sqlite
from survey_app.database import db
from survey_app.models import InboxRecord, Response, ResponseSetAside
from survey_app.responses import tallies
from survey_app.responses.intake import judge_waiting
from tests.faults import victim as work
from tests.faults.fault_ledger import NO_CLIENT, Run
from tests.faults.held_process import Victim, calls_of, kill_at, victim
from tests.faults.ledger import Figures, look_into, read_database
from tests.survey_app.records import NOW, TABLET, WAVE, a_record, open_a_wave, take

pytestmark = pytest.mark.timeout(600)

WAITING: Final = 12
EVERY: Final = 7
"""One call in so many is tried by `make test`; `make test-deep` tries them all."""
SAMPLES = [pytest.param(EVERY, id="sample"), pytest.param(1, id="all", marks=pytest.mark.deep)]


@pytest.fixture(scope="module")
def killed() -> Iterator[Victim]:
    """A process whose children may be killed."""
    with victim() as started:
        yield started


@pytest.fixture
def start(sqlite_template: Path, tmp_path: Path, workload: str) -> Path:
    """The database as a workload finds it."""
    path = tmp_path / "start" / "survey.db"
    path.parent.mkdir()
    if workload == "upgrade":
        return path
    shutil.copy(sqlite_template, path)
    with work.application(path):
        open_a_wave()
        for number in range(0 if workload in ("records", "batch") else WAITING):
            take(a_record(record_id=work.record_id(number), seq=number + 1), TABLET)
        if workload in ("decision", "purge", "backup"):
            judge_waiting(now=NOW)
    return path


@pytest.mark.ledger(NO_CLIENT)
@pytest.mark.parametrize("every", SAMPLES)
@pytest.mark.parametrize("workload", work.WORKLOADS)
def test_a_server_killed_at_any_call_keeps_what_it_promised_and_finishes_afterwards(
    request: pytest.FixtureRequest, killed: Victim, start: Path, tmp_path: Path, workload: str, every: int
) -> None:
    run = Run.of(request)
    try:
        kill_at_each(run, killed, start, tmp_path, workload, every)
    finally:
        run.keep()


def kill_at_each(run: Run, killed: Victim, start: Path, tmp_path: Path, workload: str, every: int) -> None:
    """One run of the workload for each call, from the same start."""
    calls = calls_of(killed, workload, fresh(start, tmp_path / "counted"))
    assert len(calls) > 20
    owed_before = receipts_in(start)
    for number, call in list(enumerate(calls))[::every]:
        path = fresh(start, tmp_path / f"killed-{number}")
        promised, ended = killed.run(workload, path, *kill_at(call))
        assert not ended, f"{call} was not reached"
        figures = check(workload, path, owed_before, promised)
        run.add(f"server_killed_at_{call[0]}", figures)
        assert (figures.lost, figures.duplicated) == (0, 0), call
        with work.application(path):
            AFTERWARDS[workload](path, promised)
        shutil.rmtree(path.parent)


def fresh(start: Path, folder: Path) -> Path:
    """A copy of the starting point for one run."""
    folder.mkdir()
    if start.exists():
        shutil.copy(start, folder / start.name)
    return folder / start.name


def receipts_in(start: Path) -> list[str]:
    """What was owed before the work began."""
    if not start.exists():
        return []
    records = read_database(f"sqlite:///{start}").records
    return [f"record {record} {content_hash}" for record, content_hash in sorted(records)]


def check(workload: str, path: Path, owed_before: list[str], promised: list[str]) -> Figures:
    """No page is damaged; how what is stored compares with what was promised, before the work and by it."""
    if workload == "upgrade" or not path.exists():
        return Figures(faults=1)
    owed = owed_before + [line for line in promised if line.startswith("record ")]
    found = look_into(path, owed)
    assert not found.damage
    return found.figures(len(owed_before) or len(work.attempted(workload)), len(owed))


def send_again(_path: Path, promised: list[str]) -> None:
    """Whoever got no receipt sends again, and whoever got one may do so too."""
    workload = "batch" if len(promised) > work.RECORDS or rows() > work.RECORDS else "records"
    receipts = [take(raw, TABLET) for raw in work.attempted(workload)]
    assert not any(receipt.conflict for receipt in receipts)
    assert set(promised) <= {f"record {receipt.id} {receipt.sha256}" for receipt in receipts}
    judge_the_rest(_path, promised)


def rows() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(InboxRecord)) or 0


def judge_the_rest(_path: Path, _promised: list[str]) -> None:
    """Every record becomes one response, and the counters are those of the responses."""
    judge_waiting(now=NOW)
    with db.engine.connect() as connection:
        ids = connection.scalars(sa.select(InboxRecord.id)).all()
        responses = connection.scalars(sa.select(Response.record_id)).all()
        assert sorted(responses) == sorted(ids)
        assert tallies.differences(connection, WAVE) == []


def the_decision_stands(path: Path, promised: list[str]) -> None:
    """Told or not, it is there with its counters or not at all."""
    with db.engine.connect() as connection:
        decisions = connection.scalars(sa.select(ResponseSetAside.record_id)).all()
    assert not promised or list(decisions) == [work.record_id(0)]
    judge_the_rest(path, promised)


def copies_are_whole(path: Path, promised: list[str]) -> None:
    """A file with the name of a copy is a whole copy; the watermark has moved only for one that is there."""
    copies = list((path.parent / "backups").glob("*.db.gz"))
    for copy in copies:
        manifest.read(copy)
        sqlite.unpack(copy, path.with_name("unpacked.db"))
        assert sqlite.read_back(path.with_name("unpacked.db")).records == WAITING
    with db.engine.connect() as connection:
        moved = server_facts.read(connection, server_facts.BACKUP_WATERMARK) is not None
    assert copies or not (moved or promised)


def the_upgrade_can_be_repeated(_path: Path, promised: list[str]) -> None:
    """An upgrade that was not told is done again from wherever it stood; one that was told is whole."""
    if promised:
        assert migrations.current(db.engine) == migrations.head()
    migrations.upgrade(db.engine)
    judge_the_rest(_path, promised)


AFTERWARDS: Final = {
    "records": send_again,
    "batch": send_again,
    "judgement": judge_the_rest,
    "decision": the_decision_stands,
    "purge": judge_the_rest,
    "backup": copies_are_whole,
    "upgrade": the_upgrade_can_be_repeated,
}


def test_the_sweep_finds_a_server_that_gives_its_receipt_too_early(
    killed: Victim, sqlite_template: Path, tmp_path: Path
) -> None:
    """The control: the same look at a server that promises first and writes afterwards."""
    lost = 0
    for number in range(1, 30, 4):
        path = tmp_path / str(number) / "survey.db"
        path.parent.mkdir()
        shutil.copy(sqlite_template, path)
        promised, _ = killed.run("hasty", path, *kill_at(("pwrite64", number)))
        lost += len(look_into(path, promised).lost)
    assert lost > 0
