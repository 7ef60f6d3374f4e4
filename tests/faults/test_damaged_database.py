"""The files of a SQLite database are damaged: somebody is told in one French line, or nothing is missing.

What a journal (WAL) lacks after damage is what it lacks after a power cut: SQLite goes back to the last whole
transaction and cannot know of later ones. The tablets know, and keep their copies until a backup has them.
"""

from __future__ import annotations

import gzip
import random
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from pysqlite3 import dbapi2 as sqlite

from survey_app import cli, server_facts, serving
from survey_app.commands import server
from survey_app.commands.surroundings import application
from survey_app.database import db
from survey_app.responses.changed_bytes import changed_records
from survey_app.responses.intake import judge_waiting
from survey_app.responses.record_keys import held
from survey_app.settings import testing
from tests.faults.damage import OF_THE_FILE, OF_THE_JOURNAL, Damage, an_answer_flipped, journal_of
from tests.faults.ledger import read_database
from tests.faults.storm import SEED
from tests.survey_app.empty_database import empty_database
from tests.survey_app.records import NOW, TABLET, a_record, open_a_wave, take

JUDGED, WAITING = 20, 10
DEEP: Final = 50
FRENCH: Final = re.compile(r"[Bb]ase|schéma|sauvegarde|[Cc]opie|reçu|compteur")
FOREIGN: Final = re.compile(r"Traceback|imprévue|dbapi2")


@dataclass(frozen=True)
class Whole:
    """The files as they were before anything befell them."""

    folder: Path
    receipts: tuple[str, ...]
    """Hashes, in the order of their receipts."""

    def into(self, folder: Path, *, with_journal: bool) -> Path:
        """A copy of its own: all in one file, or with the latest transactions beside it."""
        shutil.copytree(self.folder / "record-keys", folder / "record-keys")
        where = self.folder / ("running" if with_journal else "closed")
        for file in where.iterdir():
            shutil.copy(file, folder / file.name)
        return folder / "survey.db"


def surroundings(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """What the commands read."""
    settings = testing()
    patch.setenv("SECRET_KEY", settings.secret_key)
    patch.setenv("DEVICE_MASTER_KEY", settings.device_master_key)
    patch.setenv("SURVEY_DATA", str(folder))
    patch.delenv("DATABASE_URL", raising=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "survey.db"
    path.write_bytes(empty_database())
    receipts = []
    with pytest.MonkeyPatch.context() as patch:
        surroundings(patch, folder)
        with application():
            held().make(NOW)
            open_a_wave()
            for number in range(JUDGED + WAITING):
                receipts.append(take(a_record(seq=number + 1), TABLET).sha256)
                if number == JUDGED - 1:
                    judge_waiting(now=NOW)
            keep(folder / "running", path, journal_of(path))
        keep(folder / "closed", path)
    return Whole(folder, tuple(receipts))


def keep(folder: Path, *files: Path) -> None:
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder / file.name)


def rows(path: Path) -> Counter[str]:
    """How many rows each table has, and the bytes of each record: a plain value has no hash to be told by."""
    connection = sqlite.connect(str(path))
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found = Counter(
            {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}
        )
        found.update(map(repr, connection.execute("SELECT id, content_hash, envelope FROM inbox_record")))
        return found
    finally:
        connection.close()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that would start ends at once: it got that far."""
    surroundings(monkeypatch, tmp_path)
    monkeypatch.setattr(serving, "serve", lambda *_: None)
    monkeypatch.setattr(server, "check_free", lambda *_: None)


@dataclass(frozen=True)
class Told:
    """What the commands said of one damage."""

    faults: tuple[str, ...]
    copy: Path | None
    """The backup, where it counts."""


def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Start, doctor and backup: each is content, or says in a French line what is wrong (doctor: in some)."""
    faults, copies = list[str](), folder / "copies"
    for command in (["serve"], ["doctor"], ["backup", str(copies)]):
        code, said = cli.run(command), capsys.readouterr()
        if code == 0:
            continue
        doctor = [line for line in said.out.splitlines() if line.startswith("✗")]
        lines = doctor or said.err.splitlines()
        assert len(lines) == 1 or doctor, (command, lines)
        assert all(FRENCH.search(line) and not FOREIGN.search(line) for line in lines), (command, lines)
        faults += lines
    return Told(tuple(faults), next(copies.glob("*.db.gz"), None) if code == 0 else None)


def unpacked(copy: Path, folder: Path) -> Path:
    target = folder / "unpacked.db"
    target.write_bytes(gzip.decompress(copy.read_bytes()))
    return target


CASES = [
    pytest.param(damage, number, id=f"{damage.__name__}-{number}", marks=[pytest.mark.deep] if number else [])
    for damage in OF_THE_FILE
    for number in range(DEEP // len(OF_THE_FILE) + 1)
]


@pytest.mark.parametrize(("damage", "number"), CASES)
@pytest.mark.usefixtures("commands")
def test_a_damaged_database_is_told_in_a_line_or_nothing_is_missing(
    whole: Whole, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Damage, number: int
) -> None:
    path = whole.into(tmp_path, with_journal=False)
    before = rows(path)
    damage(path, random.Random(f"{SEED} {damage.__name__} {number}"))
    found = told(tmp_path, capsys)
    if found.copy is not None:
        assert rows(unpacked(found.copy, tmp_path)) == before, f"half read, SEED={SEED}"
    else:
        assert found.faults


def test_an_answer_that_changed_on_the_disk_is_named_and_no_tablet_lets_go_of_its_copy(
    whole: Whole, tmp_path: Path, capsys: pytest.CaptureFixture[str], commands: None
) -> None:
    path = whole.into(tmp_path, with_journal=False)
    an_answer_flipped(path, random.Random(SEED))
    found = told(tmp_path, capsys)
    assert found.copy is None
    assert any("1 envoi diffère de son reçu" in line for line in found.faults)
    with application(), db.engine.connect() as connection:
        assert len(changed_records(connection)) == 1
        assert server_facts.read(connection, server_facts.BACKUP_WATERMARK) is None


@pytest.mark.parametrize(
    ("damage", "number"),
    [
        pytest.param(
            damage, number, id=f"{damage.__name__}-{number}", marks=[pytest.mark.deep] if number else []
        )
        for damage in OF_THE_JOURNAL
        for number in range(DEEP // 5)
    ],
)
def test_behind_a_damaged_journal_is_what_a_power_cut_would_have_left(
    whole: Whole,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    commands: None,
    damage: Damage,
    number: int,
) -> None:
    path = whole.into(tmp_path, with_journal=True)
    damage(path, random.Random(f"{SEED} {damage.__name__} {number}"))
    found = told(tmp_path, capsys)
    if found.copy is None:
        assert found.faults
        return
    stored = read_database(f"sqlite:///{unpacked(found.copy, tmp_path)}").records
    hashes = {content_hash for _, content_hash in stored}
    assert hashes == set(whole.receipts[: len(hashes)]), f"not the first so many, SEED={SEED}"
    assert stored.total() == len(hashes)


def test_the_oracle_sees_rows_that_are_missing_and_bytes_that_changed(whole: Whole, tmp_path: Path) -> None:
    path = whole.into(tmp_path, with_journal=False)
    before = rows(path)
    for change in ("DELETE FROM tally_cell", "UPDATE inbox_record SET envelope = X'00' WHERE seq = 1"):
        with sqlite.connect(str(path)) as connection:
            for (trigger,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f'DROP TRIGGER "{trigger}"')
            connection.execute(change)
        connection.close()
        assert rows(path) != before
        before = rows(path)
