"""The database: one engine, promises read back on every connection, faults translated in one place.

SQLite comes with the application (``pysqlite3``), because the versions of many systems carry the WAL-reset
fault (https://sqlite.org/wal.html#walresetbug). PostgreSQL is chosen by its address, with psycopg 3.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from pysqlite3 import dbapi2 as sqlite
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine, ExceptionContext
from sqlalchemy.orm import DeclarativeBase, Session

from survey_app import sql_functions
from survey_app.settings import Settings

BUSY_TIMEOUT_SECONDS = 5
IDLE_SECONDS = 1.0
"""After so long, a connection to PostgreSQL is asked whether it still lives before it is used."""
SQLITE_PROMISES = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
"""What every connection must answer: WAL, FULL, on, on."""
_SQLITE_SETTINGS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)
_POSTGRESQL_OPTIONS = (
    "-c synchronous_commit=on -c timezone=UTC -c statement_timeout=60s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=60s"
)
"""A process that stands still for longer ends its transaction: backups rely on it (``backups/copies.py``)."""
_SQLITE_OUTAGES = {
    5: "busy",
    6: "locked",
    8: "read-only",
    10: "I/O",
    13: "full",
    14: "cannot open",
    15: "locking",
}
"""https://sqlite.org/rescode.html, the lower eight bits; all other codes are faults of a statement."""
_SQLITE_DAMAGE = {11, 26}
"""Malformed; not a database."""
_POSTGRESQL_UNDEFINED_TABLE = "42P01"
_POSTGRESQL_OUTAGES = (
    "08",  # connection
    "25006",  # read-only
    "25P03",  # idle too long: the connection was ended
    "40",  # deadlock, lost race
    "53",  # disk, memory or connections used up
    "55P03",  # lock not available
    "57",  # shut down, or out of time
    "58",  # I/O
    _POSTGRESQL_UNDEFINED_TABLE,  # looked at before every start: now another database answers
)
"""Beginnings of the codes in https://www.postgresql.org/docs/current/errcodes-appendix.html."""
NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class DatabaseUnavailable(Exception):  # noqa: N818 (a state of the world, answered by 503)
    """Full or read-only disk, lock held too long, server gone: nothing was stored, try again later."""


class UnsafeDatabaseError(RuntimeError):
    """The database does not keep its promises (durability, foreign keys, version): do not start."""


class Base(DeclarativeBase):
    """Base of the models. Constraint names follow one convention, so that migrations can name them."""

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)


class UTCDateTime(sa.types.TypeDecorator[dt.datetime]):
    """A moment in UTC. Refuses naive values; gives aware ones back on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """To UTC; SQLite keeps no zone, so it is taken off there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give it a time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def refuse_wal_reset_fault(version: tuple[int, int, int]) -> None:
    """Raise unless this SQLite is free of the WAL-reset corruption fault (3.7.0 to 3.51.2)."""
    fixed_branches = {(3, 50): 7, (3, 44): 6}
    patch_needed = fixed_branches.get((version[0], version[1]))
    if version >= (3, 51, 3) or (patch_needed is not None and version[2] >= patch_needed):
        return
    raise UnsafeDatabaseError(
        f"SQLite {'.'.join(map(str, version))} peut corrompre la base en mode WAL\u00a0: "
        "installez pysqlite3 0.6.1 ou plus récent (SQLite 3.51.3 au moins)."
    )


def make_engine(url: str, **options: Any) -> Engine:
    """An engine on this address that keeps the promises of this module.

    Its errors name no parameter: a statement that fails must not write an answer to a log.
    """
    options = {"hide_parameters": True, **options}
    if url.startswith("sqlite"):
        engine = sa.create_engine(url, **{**_sqlite_options(), **options})
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = sa.create_engine(_with_psycopg(url), **{**_postgresql_options(), **options})
        event.listen(engine, "connect", _check_postgresql)
        event.listen(engine, "checkin", _note_return)
        event.listen(engine, "checkout", _Ping(engine.dialect))
    event.listen(engine, "handle_error", _translate)
    return engine


def _sqlite_options() -> dict[str, Any]:
    refuse_wal_reset_fault(sqlite.sqlite_version_info)
    connect_args = {"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    return {"module": sqlite, "connect_args": connect_args, "pool_size": 16, "max_overflow": 64}


def _postgresql_options() -> dict[str, Any]:
    connect_args = {"options": _POSTGRESQL_OPTIONS, "connect_timeout": 5}
    return {"connect_args": connect_args, "pool_size": 10, "max_overflow": 20}


def _with_psycopg(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url


def _open_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself: _begin_sqlite does
    try:
        for statement in _SQLITE_SETTINGS:
            connection.execute(statement)
        sql_functions.add_to_sqlite(connection)
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SQLITE_PROMISES}
    except (sqlite.Error, UnicodeDecodeError) as error:  # the second where a damaged schema is quoted
        raise DatabaseUnavailable(f"La base ne s’ouvre pas\u00a0: {error}") from error
    check_sqlite_promises(found)


def check_sqlite_promises(found: dict[str, object]) -> None:
    """Raise unless the values read back from a connection are the promised ones."""
    broken = {name: found.get(name) for name, value in SQLITE_PROMISES.items() if found.get(name) != value}
    if broken:
        raise UnsafeDatabaseError(
            f"SQLite ne tient pas ses réglages\u00a0: {broken} au lieu de "
            f"{ {name: SQLITE_PROMISES[name] for name in broken} }. "
            "La base est-elle sur un partage réseau\u202f?"
        )


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _check_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        found = cursor.fetchone()[0]
        cursor.execute("SHOW fsync")
        durable = cursor.fetchone()[0]
    connection.rollback()
    if (found, durable) != ("on", "on"):
        raise UnsafeDatabaseError(
            f"PostgreSQL\u00a0: synchronous_commit={found}, fsync={durable}\u202f; "
            "les deux doivent valoir «\u202fon\u202f»."
        )


def _note_return(_connection: Any, record: Any) -> None:
    record.info["returned"] = time.monotonic()


class _Ping:
    """Asks a connection that lay idle whether it still lives: on every use, that would double its time."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __call__(self, connection: Any, record: Any, _proxy: object) -> None:
        idle = time.monotonic() - record.info.get("returned", time.monotonic())
        if idle < IDLE_SECONDS:
            return
        try:
            self._dialect.do_ping(connection)
        except self._dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error


def _translate(context: ExceptionContext) -> None:
    cause = context.original_exception
    if getattr(cause, "sqlstate", None) == _POSTGRESQL_UNDEFINED_TABLE:
        raise DatabaseUnavailable(
            "La base de données n’est pas prête. Lancez d’abord\u00a0: survey-app database upgrade"
        ) from cause
    if context.is_disconnect or unavailable(cause, context.dialect.dbapi):
        raise DatabaseUnavailable(f"Base indisponible\u00a0: {cause}") from cause


def is_damage(error: BaseException | None) -> bool:
    """Whether this fault, or what caused it, is a SQLite file that is no longer what was written."""
    while error is not None:
        if (
            isinstance(error, UnicodeDecodeError)
            or getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DAMAGE
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def unavailable(error: BaseException | None, driver: Any) -> bool:
    """Whether the world is at fault, not a statement of ours: that one must be heard of, and mended."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_OUTAGES
    state = getattr(error, "sqlstate", "")
    if state is None:  # psycopg without an answer of the server: none was reached, or it went away
        return isinstance(error, driver.OperationalError | driver.InterfaceError)
    return state.startswith(_POSTGRESQL_OUTAGES)


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with the engines of :func:`make_engine`."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        options = dict(options)
        return make_engine(str(options.pop("url")), **options)

    def _apply_driver_defaults(self, options: dict[str, Any], app: Flask) -> None:
        options["url"] = sa.make_url(options["url"]).render_as_string(hide_password=False)


db = Database(model_class=Base)


def install(app: Flask, settings: Settings) -> None:
    """Bind the application to its database."""
    if settings.database_url.startswith("sqlite:///"):
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.extensions["survey_settings"] = settings
    db.init_app(app)


_writer_locks: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_writer_locks_guard = threading.Lock()


def _writer_lock(engine: Engine) -> threading.Lock:
    with _writer_locks_guard:
        return _writer_locks.setdefault(engine, threading.Lock())


@contextmanager
def one_writer(engine: Engine) -> Iterator[None]:
    """On SQLite, one writer at a time in this process: threads queue here, not at the file lock."""
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _writer_lock(engine)
    if not lock.acquire(timeout=BUSY_TIMEOUT_SECONDS):
        raise DatabaseUnavailable("Base occupée trop longtemps par une autre écriture.")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def write_connection(engine: Engine | None = None) -> Iterator[Connection]:
    """One write transaction on a bare connection (BEGIN IMMEDIATE on SQLite): committed, or rolled back."""
    engine = engine or db.engine
    with one_writer(engine), engine.connect() as connection:
        connection.execution_options(sqlite_begin="IMMEDIATE")
        with connection.begin():
            yield connection


@contextmanager
def write_transaction(engine: Engine | None = None) -> Iterator[Session]:
    """One write transaction as an ORM session (BEGIN IMMEDIATE on SQLite): committed, or rolled back.

    Everything that writes goes through here or :func:`write_connection`: a transaction that begins by
    reading and writes later can fail on SQLite when somebody else wrote in between. The session is its own,
    apart from ``db.session``; objects stay usable after the commit.
    """
    with write_connection(engine) as connection, Session(connection, expire_on_commit=False) as session:
        yield session
        session.flush()
