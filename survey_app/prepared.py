"""Statements compiled once and run on the bare driver: for what every request of the public does. Floor 2.

Through SQLAlchemy a statement of one row costs 0.1 to 0.25 ms of processor time, on the driver 0.01 ms. The
SQL, the types and the faults stay SQLAlchemy's own; only the way there is shorter.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, Engine

from survey_app.database import DatabaseUnavailable, UTCDateTime, one_writer, unavailable

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]


class StatementRefused(Exception):  # noqa: N818 (what happened, as DatabaseUnavailable)
    """The database refuses these values; others may pass."""


class Prepared:
    """One statement, ready for the driver of each dialect."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        """``make`` gives the statement for the name of a dialect."""
        self._make = make
        self._ready: dict[str, _OnDriver] = {}

    def on(self, dialect: Dialect) -> _OnDriver:
        """The statement as this driver takes it."""
        if dialect.name not in self._ready:
            self._ready[dialect.name] = _OnDriver(self._make(dialect.name), dialect)
        return self._ready[dialect.name]

    def read(self, engine: Engine, **values: Any) -> list[Any]:
        """The rows, read in a transaction of their own."""
        with _connection(engine) as connection:
            # One statement is a transaction: on PostgreSQL this spares the way there for BEGIN and ROLLBACK.
            before = getattr(connection, "autocommit", None)
            if before is not None:
                connection.autocommit = True
            try:
                return self.on(engine.dialect).rows(connection.cursor(), values)
            finally:
                if before is not None:
                    connection.autocommit = before


class _OnDriver:
    """SQL, order of the values, and what turns Python values into the driver's and back."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._by_position = compiled.positiontup is not None
        self._given = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        names = compiled.positiontup if compiled.positiontup is not None else list(compiled.binds)
        self._names = tuple(names)
        self._encode = [(name, _encoder(compiled.binds[name].type, dialect)) for name in names]
        columns = list(statement.selected_columns) if statement.is_select else []
        self._decode = [_decoder(column.type, dialect) for column in columns]
        self._row: Any = namedtuple("PreparedRow", [column.key for column in columns])  # type: ignore[misc]

    def rows(self, cursor: Any, values: Values) -> list[Any]:
        """What a SELECT finds."""
        found = cursor.execute(self._sql, self._encoded(values)).fetchall()
        return [
            self._row._make(
                [v if decode is None else decode(v) for decode, v in zip(self._decode, row, strict=True)]
            )
            for row in found
        ]

    def run(self, cursor: Any, rows: Sequence[Values]) -> int:
        """Run once for each of these; how many rows it touched."""
        if len(rows) == 1:
            return int(cursor.execute(self._sql, self._encoded(rows[0])).rowcount)
        cursor.executemany(self._sql, [self._encoded(row) for row in rows])
        return int(cursor.rowcount)

    def _encoded(self, values: Values) -> Any:
        # No function call per value where none is needed: a batch brings thousands of them.
        known = {**self._given, **values} if self._given else values
        encoded = [known[name] if encode is None else encode(known[name]) for name, encode in self._encode]
        return encoded if self._by_position else dict(zip(self._names, encoded, strict=True))


def _encoder(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Convert | None:
    encode = kind.dialect_impl(dialect).bind_processor(dialect)
    # A batch has one moment, in every row of it.
    return lru_cache(maxsize=8)(encode) if encode and isinstance(kind, UTCDateTime) else encode


def _decoder(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


@contextmanager
def write_cursor(engine: Engine) -> Iterator[Any]:
    """One write transaction on the bare driver: committed, or rolled back; faults as everywhere.

    Raises
    ------
    DatabaseUnavailable
        As in ``database.py``.
    StatementRefused
        The values cannot be stored.
    """
    with one_writer(engine), _connection(engine) as connection:
        cursor = connection.cursor()
        try:
            if engine.dialect.name == "sqlite":  # psycopg begins by itself
                cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            connection.commit()
        except BaseException:
            if not getattr(connection, "closed", False):
                connection.rollback()
            raise


@contextmanager
def _connection(engine: Engine) -> Iterator[Any]:
    """A driver connection from the pool; one that broke does not go back to it."""
    driver: Any = engine.dialect.dbapi
    try:
        pooled = engine.raw_connection()
    except (driver.OperationalError, sa.exc.TimeoutError) as error:
        raise DatabaseUnavailable(f"Base indisponible\u00a0: {error}") from error
    try:
        yield pooled.driver_connection
    except driver.Error as error:
        if engine.dialect.is_disconnect(error, pooled.driver_connection, None):
            pooled.invalidate(error)
        if unavailable(error, driver):
            raise DatabaseUnavailable(f"Base indisponible\u00a0: {error}") from error
        raise StatementRefused(str(error)) from error
    finally:
        pooled.close()
