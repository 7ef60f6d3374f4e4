"""What a bad disk, a bad cable or a bad hand does to the files of a database; a seed decides where."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

PAGE: Final = 4096
HEADER: Final = 100


def _change(path: Path, places: list[int], chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= chance.randint(1, 255)
    path.write_bytes(content)


def _overwrite(path: Path, chance: random.Random, filler: bytes) -> None:
    content = bytearray(path.read_bytes())
    page = chance.randrange(len(content) // PAGE)
    content[page * PAGE : (page + 1) * PAGE] = filler * PAGE
    path.write_bytes(content)


def bytes_flipped(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    _change(path, [chance.randrange(size) for _ in range(chance.choice((1, 8, 64)))], chance)


def header_flipped(path: Path, chance: random.Random) -> None:
    _change(path, [chance.randrange(HEADER) for _ in range(4)], chance)


def page_of_zeros(path: Path, chance: random.Random) -> None:
    _overwrite(path, chance, b"\0")


def page_of_ones(path: Path, chance: random.Random) -> None:
    _overwrite(path, chance, b"\xff")


def pages_swapped(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    one, other = (page * PAGE for page in chance.sample(range(len(content) // PAGE), 2))
    first, second = content[one : one + PAGE], content[other : other + PAGE]
    content[one : one + PAGE], content[other : other + PAGE] = second, first
    path.write_bytes(content)


def an_answer_flipped(path: Path, chance: random.Random) -> None:
    """One byte in what somebody sealed, where no page and no index can notice it."""
    content = path.read_bytes()
    bodies = [found.end() for found in re.finditer(rb'"body":\s*"', content)]
    _change(path, [chance.choice(bodies) + chance.randrange(1, 40)], chance)


def truncated(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(1, path.stat().st_size)])


def emptied(path: Path, _chance: random.Random) -> None:
    path.write_bytes(b"")


def a_foreign_file(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.choice((b"\x89PNG\r\n", b"PK\x03\x04", b"Bonjour\n")) + chance.randbytes(20_000))


def a_database_of_others(path: Path, _chance: random.Random) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE inbox_record (id TEXT, content_hash TEXT)")
    other.close()


def journal_truncated(path: Path, chance: random.Random) -> None:
    truncated(journal_of(path), chance)


def journal_flipped(path: Path, chance: random.Random) -> None:
    bytes_flipped(journal_of(path), chance)


def journal_of(path: Path) -> Path:
    """The transactions that are not in the database itself yet."""
    return path.with_name(f"{path.name}-wal")


Damage = Callable[[Path, random.Random], None]
OF_THE_FILE: Final[tuple[Damage, ...]] = (
    *(
        bytes_flipped,
        header_flipped,
        an_answer_flipped,
        page_of_zeros,
        page_of_ones,
        pages_swapped,
        truncated,
    ),
    *(emptied, a_foreign_file, a_database_of_others),
)
OF_THE_JOURNAL: Final[tuple[Damage, ...]] = (journal_truncated, journal_flipped)
