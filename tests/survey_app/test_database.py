"""The promises of every connection are kept, and a database that does not keep them is not used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from pysqlite3 import dbapi2 as sqlite

from survey_app import database as module
from survey_app.database import (
    SQLITE_PROMISES,
    DatabaseUnavailable,
    UnsafeDatabaseError,
    check_sqlite_promises,
    db,
    make_engine,
    refuse_wal_reset_fault,
    write_connection,
    write_transaction,
)
from survey_app.device_models import EnrolmentCode
from survey_app.models import AuditEntry, ServerFact
from survey_app.prepared import StatementRefused, write_cursor


def test_every_sqlite_connection_answers_the_promises(sqlite_app_database: Flask) -> None:
    connections = [db.engine.connect() for _ in range(5)]
    for connection in connections:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SQLITE_PROMISES}
        assert found == SQLITE_PROMISES
        connection.close()


@pytest.mark.parametrize(
    "left_out, name",
    [("synchronous", "synchronous"), ("foreign_keys", "foreign_keys"), ("WAL", "journal_mode")],
)
def test_a_setting_that_did_not_take_stops_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left_out: str, name: str
) -> None:
    weaker = [line for line in module._SQLITE_SETTINGS if left_out not in line]
    if name == "synchronous":
        weaker.append("PRAGMA synchronous = NORMAL")
    monkeypatch.setattr(module, "_SQLITE_SETTINGS", tuple(weaker))
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(UnsafeDatabaseError, match=name):
        engine.connect()
    engine.dispose()


def test_a_database_that_cannot_be_wal_is_refused() -> None:
    with pytest.raises(UnsafeDatabaseError, match="journal_mode"):
        check_sqlite_promises({**SQLITE_PROMISES, "journal_mode": "memory"})


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 50, 6), (3, 51, 1), (3, 51, 2)])
def test_a_sqlite_with_the_wal_reset_fault_is_refused(version: tuple[int, int, int]) -> None:
    with pytest.raises(UnsafeDatabaseError, match="pysqlite3"):
        refuse_wal_reset_fault(version)


@pytest.mark.parametrize("version", [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 53, 4), (4, 0, 0)])
def test_a_mended_sqlite_is_taken(version: tuple[int, int, int]) -> None:
    refuse_wal_reset_fault(version)


def test_ours_is_mended() -> None:
    refuse_wal_reset_fault(sqlite.sqlite_version_info)


def test_postgresql_commits_to_disk(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
    engine.dispose()


def test_a_postgresql_that_does_not_is_refused(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POSTGRESQL_OPTIONS", "-c synchronous_commit=off")
    engine = make_engine(postgresql_url)
    with pytest.raises(UnsafeDatabaseError, match="synchronous_commit=off"):
        engine.connect()
    engine.dispose()


def test_a_postgresql_that_is_not_there_is_an_outage() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(DatabaseUnavailable):
        engine.connect()
    with pytest.raises(DatabaseUnavailable), write_cursor(engine):
        pass
    engine.dispose()


def test_a_read_only_transaction_of_postgresql_is_an_outage(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        with pytest.raises(DatabaseUnavailable):
            connection.exec_driver_sql("CREATE TABLE refused (id int)")
    engine.dispose()


def test_a_statement_of_ours_that_is_wrong_is_no_outage(database: Flask) -> None:
    with pytest.raises(sa.exc.DBAPIError), db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT no_such_column FROM server_fact")
    with pytest.raises(StatementRefused), write_cursor(db.engine) as cursor:
        cursor.execute("SELECT no_such_column FROM server_fact")


def test_a_full_disk_is_an_outage(sqlite_app_database: Flask) -> None:
    with db.engine.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DatabaseUnavailable):
            connection.exec_driver_sql("INSERT INTO server_fact VALUES ('big', hex(randomblob(100000)))")


def test_a_lock_held_too_long_on_postgresql_is_an_outage(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url)
    with engine.connect() as holder, engine.connect() as other:
        holder.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")
        other.exec_driver_sql("SET lock_timeout = '50ms'")
        with pytest.raises(DatabaseUnavailable):
            other.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")
    engine.dispose()


def test_a_foreign_file_is_not_taken_for_a_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database, " * 1000)
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(DatabaseUnavailable):
        engine.connect()
    engine.dispose()
    assert (tmp_path / "a.db").read_bytes().startswith(b"not a database")


def test_a_missing_folder_is_an_outage(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'nowhere' / 'a.db'}")
    with pytest.raises(DatabaseUnavailable):
        engine.connect()
    engine.dispose()


def test_a_failed_transaction_leaves_nothing(database: Flask) -> None:
    def fail_half_way() -> None:
        with write_transaction() as session:
            session.add(ServerFact(key="x", value="y"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert db.session.get(ServerFact, "x") is None


def test_what_a_transaction_wrote_stays_usable_and_visible(database: Flask) -> None:
    with write_transaction() as session:
        fact = ServerFact(key="x", value="y")
        session.add(fact)
    assert fact.value == "y"
    assert db.session.get_one(ServerFact, "x").value == "y"


def test_foreign_keys_hold(database: Flask) -> None:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    code = EnrolmentCode(
        code_hash="x", name="n", site="s", expires_at=moment, device_id="nobody", created_by="c"
    )
    with pytest.raises(sa.exc.IntegrityError), write_transaction() as session:
        session.add(code)


def test_moments_come_back_in_utc(database: Flask) -> None:
    paris = dt.timezone(dt.timedelta(hours=2))
    with write_transaction() as session:
        session.add(
            AuditEntry(at=dt.datetime(2026, 7, 1, 12, tzinfo=paris), actor="a", action="b", subject="c")
        )
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert entry.at == dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)
    assert entry.at.tzinfo == dt.UTC


def test_a_moment_without_zone_is_refused(database: Flask) -> None:
    naive = dt.datetime(2026, 7, 1, 12)  # noqa: DTZ001 (the point of the test)
    with pytest.raises(sa.exc.StatementError, match="naive"), write_transaction() as session:
        session.add(AuditEntry(at=naive, actor="a", action="b", subject="c"))


def test_writers_begin_immediately_so_that_reading_first_never_fails(sqlite_app_database: Flask) -> None:
    """Two read-then-write transactions one after the other; with BEGIN DEFERRED the second would fail."""
    with write_connection() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM server_fact").scalar()
        other = sqlite.connect(str(db.engine.url.database), isolation_level=None, timeout=0)
        with pytest.raises(sqlite.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        connection.exec_driver_sql("INSERT INTO server_fact VALUES ('a', 'b')")
        other.close()


def test_reading_first_in_a_deferred_transaction_can_fail(sqlite_app_database: Flask) -> None:
    """Control for the test above."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM server_fact").scalar()
        with write_connection() as other:
            other.exec_driver_sql("INSERT INTO server_fact VALUES ('a', 'b')")
        with pytest.raises(DatabaseUnavailable):
            connection.exec_driver_sql("INSERT INTO server_fact VALUES ('c', 'd')")
