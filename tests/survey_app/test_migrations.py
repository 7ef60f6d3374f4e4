"""The schema goes up and down, with rows, on both databases, and equals the models."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask

from survey_app import migrations
from survey_app.database import Base, db, make_engine, write_connection

NOW = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
DIGEST = "a" * 64


def fill(connection: sa.Connection) -> None:
    """One row in every table that is there, from the tables themselves, in the order of references."""
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names())
    for table in Base.metadata.sorted_tables:
        if table.name in there:
            columns = {column["name"] for column in inspector.get_columns(table.name)}
            values = {c.name: a_value(c) for c in table.columns if c.name in columns}
            # As text: what a model would add by default may not be there yet.
            connection.execute(
                sa.table(table.name, *(sa.column(n, table.c[n].type) for n in values)).insert().values(values)
            )


def a_value(column: sa.Column[object]) -> object:
    for foreign_key in column.foreign_keys:
        return a_value(foreign_key.column)
    kinds: dict[type, object] = {int: 1, str: "x", bytes: b"x", bool: False, dt.date: NOW.date()}
    if isinstance(column.type, sa.JSON):
        return {"x": ["y"]}
    return kinds.get(column.type.python_type, NOW)


UPGRADES = {
    "0002": {"sign_in_try"},
    "0003": {"device_refusals", "gap_explanation"},
    "0004": {"received_number"},
    "0005": {
        "sampling_frame",
        "sampled_unit",
        "wave_frame",
        "objection",
        "invitation",
        "saved_interview",
        "sealed_answer",
        "anonymous_text",
        "mailing",
        "mail_message",
    },
    "0006": set(),
    "0007": {"tablet_explanation"},
    "0008": set(),
    "0009": set(),
}
"""Every revision but the first, and the tables that it brings: the others keep their rows."""


def counts(engine: sa.Engine) -> dict[str, int | None]:
    with engine.connect() as connection:
        there = set(sa.inspect(connection).get_table_names())
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
            if table.name in there
        }


def test_every_upgrade_is_tested() -> None:
    assert (*UPGRADES,) == migrations.revisions()[1:]


def test_the_migrated_schema_is_the_one_of_the_models(database: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_comparison_notices_a_missing_column(database: Flask) -> None:
    """Control: with a column taken away the comparison above is not empty."""
    with write_connection() as connection:
        connection.exec_driver_sql("ALTER TABLE device DROP COLUMN app_digest")
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) != []


@pytest.mark.parametrize("revision", UPGRADES)
def test_an_upgrade_keeps_the_rows(database: Flask, revision: str) -> None:
    before = migrations.revisions()[migrations.revisions().index(revision) - 1]
    migrations.downgrade(db.engine, before)
    with write_connection() as connection:
        fill(connection)
    migrations.upgrade(db.engine, revision)
    assert {table for table, rows in counts(db.engine).items() if rows == 0} == UPGRADES[revision]
    migrations.downgrade(db.engine, before)
    assert set(counts(db.engine).values()) == {1}


def test_up_down_and_up_again_with_rows(database: Flask) -> None:
    with write_connection() as connection:
        fill(connection)
    assert set(counts(db.engine).values()) == {1}
    migrations.downgrade(db.engine)
    assert migrations.current(db.engine) is None
    with db.engine.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(db.engine)
    assert migrations.current(db.engine) == migrations.head()
    assert set(counts(db.engine).values()) == {0}


def test_upgrading_twice_changes_nothing(database: Flask) -> None:
    with write_connection() as connection:
        fill(connection)
    migrations.upgrade(db.engine)
    assert set(counts(db.engine).values()) == {1}


def test_a_migration_killed_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", lambda *_a, **_k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            migrations.upgrade(engine)
    assert sa.inspect(engine).get_table_names() == []
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.head()
    engine.dispose()


APPEND_ONLY = {
    "inbox_record": "site",
    "inbox_conflict": "device_id",
    "response": "language",
    "response_set_aside": "note",
    "audit_entry": "actor",
}


@pytest.mark.abuse("93")
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {t} SET {c} = 'z'", "DELETE FROM {t}", "TRUNCATE {t}"])
def test_append_only_tables_refuse_changes(database: Flask, table: str, change: str) -> None:
    sqlite = db.engine.dialect.name == "sqlite"
    if change.startswith("TRUNCATE") and (sqlite or table == "response"):
        return  # SQLite has no TRUNCATE; PostgreSQL refuses it on a referenced table before any trigger
    with write_connection() as connection:
        fill(connection)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), write_connection() as connection:
        connection.exec_driver_sql(change.format(t=table, c=APPEND_ONLY[table]))
    assert counts(db.engine)[table] == 1


@pytest.mark.abuse("93")
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_every_column_of_an_append_only_table_is_held(database: Flask, table: str) -> None:
    with write_connection() as connection:
        fill(connection)
    for column in {*Base.metadata.tables[table].columns.keys()} - {"judged_at"}:
        change = f'UPDATE {table} SET "{column}" = "{column}"'
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), write_connection() as connection:
            connection.exec_driver_sql(change)


def test_the_inbox_lets_a_record_be_marked_as_judged(database: Flask) -> None:
    with write_connection() as connection:
        fill(connection)
        connection.exec_driver_sql("UPDATE inbox_record SET judged_at = NULL")
        connection.exec_driver_sql("UPDATE inbox_record SET judged_at = received_at")
