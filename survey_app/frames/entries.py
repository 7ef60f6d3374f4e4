"""What is taken from the lists, before anything is written. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from survey_app.frames.files import Sheet
from survey_app.frames.headings import Header


@dataclass(frozen=True)
class Note:
    """Something to know about one line of one file."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Entry:
    """What is taken from one line. Birth, nuance and profession were never looked into."""

    file: str
    line: int
    kind: str
    code: str
    name: str
    arrondissement: str | None = None
    inhabitants: int | None = None
    office: str = ""
    civility: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str | None = None
    postal_address: str | None = None
    since: dt.date | None = None
    """Of two mayors of a commune, the later one is it. Not stored."""
    commune: str = ""
    """Of somebody who sits elsewhere: tells whether two lines name one person. Not stored."""
    principal: bool = True
    """Of the services of one town hall, the town hall itself. Not stored."""


@dataclass
class Reading:
    """One file, read."""

    sheet: Sheet
    header: Header
    lists: str
    entries: list[Entry] = field(default_factory=list)
    left_out: list[Note] = field(default_factory=list)
    doubts: list[Note] = field(default_factory=list)
    elsewhere: int = 0
    """Lines of other departments."""
    others: int = 0
    """Lines of the Annuaire that are no town hall and no intercommunality."""

    def samples(self, meaning: str, most: int = 3) -> list[str]:
        """The first values of a column, as they stand in the file."""
        at = self.header.columns[meaning]
        below = self.sheet.lines[self.header.at + 1 :]
        return [
            line.cells[at].strip()[:60] for line in below if at < len(line.cells) and line.cells[at].strip()
        ][:most]


@dataclass(frozen=True)
class Territory:
    """Whose lists are read: its code, and its arrondissements (INSEE code → name)."""

    code: str | None = None
    name: str | None = None
    arrondissements: Mapping[str, str] = field(default_factory=dict)


def newest_date(readings: Sequence[Reading]) -> dt.date | None:
    """The latest beginning of an office: the files are not older than that."""
    return max((entry.since for one in readings for entry in one.entries if entry.since), default=None)
