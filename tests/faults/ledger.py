"""What was promised against what a database holds, looked up without the program under test."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from pysqlite3 import dbapi2 as sqlite

Pair = tuple[str, str]
"""Id and hash of one record."""


@dataclass
class Figures:
    """The line of one run, or of one kind of fault in it."""

    faults: int = 0
    attempted: int = 0
    acknowledged: int = 0
    stored: int = 0
    quarantined: int = 0
    lost: int = 0
    duplicated: int = 0

    def add(self, other: Figures) -> None:
        """Sum up."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Found:
    """What one look into a database shows."""

    damage: tuple[str, ...]
    lost: frozenset[str]
    """Promised as ``id hash`` and not there."""
    duplicated: frozenset[str]
    stored: int = 0

    @property
    def is_bad(self) -> bool:
        """Whether a promise is broken."""
        return bool(self.damage or self.lost or self.duplicated)

    def figures(self, attempted: int, acknowledged: int) -> Figures:
        """The line of one fault after which this was found."""
        return Figures(
            faults=1,
            attempted=attempted,
            acknowledged=acknowledged,
            stored=self.stored,
            lost=len(self.lost),
            duplicated=len(self.duplicated),
        )


def look_into(database: Path, lines: Iterable[str]) -> Found:
    """Read every page, and compare what is stored with the lines ``record <id> <hash>`` of a promise."""
    promised = frozenset(line.removeprefix("record ") for line in lines if line.startswith("record "))
    connection = sqlite.connect(str(database), isolation_level=None)
    try:
        damage = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
        rows = connection.execute("SELECT id, content_hash FROM inbox_record")
        stored = Counter(f"{row[0]} {row[1]}" for row in rows)
    except sqlite.DatabaseError as fault:
        return Found((str(fault),), promised, frozenset())
    finally:
        connection.close()
    return Found(
        tuple(line for line in damage if line != "ok"),
        promised - stored.keys(),
        frozenset(line for line, number in stored.items() if number > 1),
        stored.total(),
    )


@dataclass
class Stored:
    """The records and responses of a whole database, of either kind."""

    records: Counter[Pair]
    kept_apart: Counter[Pair]
    """Other bytes under an id that was there first."""
    responses: Counter[str]

    @property
    def rows(self) -> Counter[str]:
        """How many records there are under each id."""
        found: Counter[str] = Counter()
        for (record, _), number in self.records.items():
            found[record] += number
        return found


QUERIES = (
    "SELECT id, content_hash FROM inbox_record",
    "SELECT id, content_hash FROM inbox_conflict",
    "SELECT record_id FROM response",
)


def read_database(url: str) -> Stored:
    """Everything a database holds, read by its own driver."""
    if url.startswith("sqlite"):
        connection = sqlite.connect(url.removeprefix("sqlite:///"))
        try:
            records, apart, responses = (connection.execute(query).fetchall() for query in QUERIES)
        finally:
            connection.close()
    else:
        with psycopg.connect(url) as session:
            records, apart, responses = (session.execute(query).fetchall() for query in QUERIES)
    stored, kept_apart = (Counter((str(row[0]), str(row[1])) for row in rows) for rows in (records, apart))
    return Stored(stored, kept_apart, Counter(str(row[0]) for row in responses))


@dataclass
class Ledger:
    """Kept by whoever watches the tablets; neither a browser nor a server writes in it. For many threads."""

    attempted: set[str] = field(default_factory=set)
    acknowledged: set[Pair] = field(default_factory=set)
    """Shown as saved, or receipted."""
    quarantined: set[str] = field(default_factory=set)
    strikes: Counter[str] = field(default_factory=Counter)
    struck: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By kind of fault, the records that were on their way when it struck."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attempt(self, record: str) -> None:
        """Somebody answered."""
        with self._lock:
            self.attempted.add(record)

    def acknowledge(self, record: str, content_hash: str) -> None:
        """It is promised from now on."""
        with self._lock:
            self.acknowledged.add((record, content_hash))

    def set_apart(self, record: str) -> None:
        """The tablet no longer sends it by itself."""
        with self._lock:
            self.quarantined.add(record)

    def strike(self, kind: str, records: Collection[str], times: int = 1) -> None:
        """A fault struck while these records were on their way."""
        with self._lock:
            self.strikes[kind] += times
            self.struck[kind].update(records)

    def against(self, stored: Stored) -> tuple[Figures, dict[str, Figures]]:
        """The figures of the whole run, and of each kind of fault: a record may have met several."""
        every = self.attempted | {record for record, _ in self.acknowledged}
        whole = self._figures(stored, every, self.strikes.total())
        kinds = {
            kind: self._figures(stored, self.struck[kind] & every, number)
            for kind, number in sorted(self.strikes.items())
        }
        return whole, kinds

    def _figures(self, stored: Stored, records: set[str], faults: int) -> Figures:
        acknowledged = {pair for pair in self.acknowledged if pair[0] in records}
        there = stored.records.keys() | stored.kept_apart.keys()
        rows = stored.rows
        more_than_once = sum(max(0, rows[one] - 1) + max(0, stored.responses[one] - 1) for one in records)
        return Figures(
            faults=faults,
            attempted=len(records),
            acknowledged=len(acknowledged),
            stored=sum(1 for one in records if rows[one]),
            quarantined=len(self.quarantined & records),
            lost=len(acknowledged - there),
            duplicated=more_than_once,
        )
