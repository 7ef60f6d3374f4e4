"""What a server promised against what its database holds, looked up without the program under test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pysqlite3 import dbapi2 as sqlite


@dataclass(frozen=True)
class Found:
    """What one look into a database shows."""

    damage: tuple[str, ...]
    lost: frozenset[str]
    """Promised as ``id hash`` and not there."""
    duplicated: frozenset[str]

    @property
    def is_bad(self) -> bool:
        """Whether a promise is broken."""
        return bool(self.damage or self.lost or self.duplicated)


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
    )
