"""Group commit: callers that arrive while a commit is being written share the next one.

A commit costs one wait for the disk whatever it holds. Each caller queues its rows and takes its turn; the
first to get it writes for all who queued meanwhile. There is no thread to start, stop or lose.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect, Engine

from survey_app.database import BUSY_TIMEOUT_SECONDS, DatabaseUnavailable
from survey_app.prepared import StatementRefused, write_cursor

RowT = TypeVar("RowT")
ResultT = TypeVar("ResultT")
Write = Callable[[Any, Dialect, Sequence[RowT]], list[ResultT]]
LARGEST_GROUP = 64


class _Entry(Generic[RowT, ResultT]):
    def __init__(self, rows: Sequence[RowT]) -> None:
        self.rows = rows
        self.results: list[ResultT] | None = None
        self.error: BaseException | None = None


class GroupCommit(Generic[RowT, ResultT]):
    """Writes by ``write(cursor, dialect, rows)``: many callers' rows per transaction, a queue per engine."""

    def __init__(self, write: Write[RowT, ResultT]) -> None:
        self._write = write
        self._queues: WeakKeyDictionary[Engine, _Queue[RowT, ResultT]] = WeakKeyDictionary()
        self._guard = threading.Lock()
        self._last_use = -math.inf

    def seconds_at_rest(self) -> float:
        """Since when nobody brought anything."""
        return time.monotonic() - self._last_use

    def submit(self, engine: Engine, rows: Sequence[RowT]) -> list[ResultT]:
        """The results for these rows, after they are durably on disk."""
        if not rows:
            return []
        self._last_use = time.monotonic()
        entry = _Entry[RowT, ResultT](rows)
        queue = self._queue(engine)
        queue.add(entry)
        # Twice the patience of the database: the caller before may use all of it.
        if not queue.turn.acquire(timeout=2 * BUSY_TIMEOUT_SECONDS):
            raise DatabaseUnavailable("Base occupée trop longtemps par d’autres écritures.")
        try:
            while entry.results is None and entry.error is None:
                self._write_group(engine, queue.take())
        finally:
            queue.turn.release()
        if entry.error is not None:
            raise entry.error
        return entry.results or []

    def _queue(self, engine: Engine) -> _Queue[RowT, ResultT]:
        with self._guard:
            return self._queues.setdefault(engine, _Queue())

    def _write_group(self, engine: Engine, group: Sequence[_Entry[RowT, ResultT]]) -> None:
        try:
            rows = [row for entry in group for row in entry.rows]
            with write_cursor(engine) as cursor:
                results = iter(self._write(cursor, engine.dialect, rows))
                answers = [[next(results) for _ in entry.rows] for entry in group]
        except StatementRefused as error:
            self._after_refusal(engine, group, error)
        except BaseException as error:
            # Whoever shared this commit must learn that it failed; what ends this thread is not theirs.
            ended = not isinstance(error, Exception)
            for entry in group:
                entry.error = DatabaseUnavailable("Écriture interrompue.") if ended else error
            if ended:
                raise
        else:
            for entry, answer in zip(group, answers, strict=True):
                entry.results = answer

    def _after_refusal(
        self, engine: Engine, group: Sequence[_Entry[RowT, ResultT]], error: StatementRefused
    ) -> None:
        """A refused row is looked for one entry at a time, so that it stops only its owner."""
        if len(group) == 1:
            group[0].error = error
            return
        for entry in group:
            self._write_group(engine, [entry])


class _Queue(Generic[RowT, ResultT]):
    """Who waits for the next commit of one engine."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Entry[RowT, ResultT]] = []

    def add(self, entry: _Entry[RowT, ResultT]) -> None:
        with self._guard:
            self._waiting.append(entry)

    def take(self) -> list[_Entry[RowT, ResultT]]:
        with self._guard:
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
        return group
