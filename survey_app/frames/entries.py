"""What is taken from the lists, before anything is written. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from form_definitions import Organisation
from survey_app.frames.addresses import clean_line, postal_of, services_of
from survey_app.frames.files import Sheet
from survey_app.frames.headings import Header

LONGEST_SAMPLE: Final = 60


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
        """The first values of a column, as they are understood."""
        at = self.header.columns[meaning]
        below = self.sheet.lines[self.header.at + 1 :]
        filled = [line.cells[at] for line in below if at < len(line.cells) and line.cells[at].strip()]
        shown = _SHOWN.get(meaning, clean_line)
        return [shown(text)[:LONGEST_SAMPLE] for text in filled[:most]]


def _address(text: str) -> str:
    return (postal_of({"address": text}) or clean_line(text)).replace("\n", ", ")


def _service(text: str) -> str:
    return ", ".join(sorted(services_of(text)))


_SHOWN: Final[Mapping[str, Callable[[str], str]]] = {"address": _address, "service": _service}
"""Where the Annuaire writes JSON into a cell."""


@dataclass(frozen=True)
class Territory:
    """Whose lists are read: its code, and its arrondissements (INSEE code → name)."""

    code: str | None = None
    name: str | None = None
    arrondissements: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, organisation: Organisation) -> Territory:
        """The department of an organisation."""
        known = {one.code: one.name for one in organisation.arrondissements}
        return cls(organisation.department_code, organisation.department, known)


def newest_date(readings: Sequence[Reading]) -> dt.date | None:
    """The latest beginning of an office: the files are not older than that."""
    return max((entry.since for one in readings for entry in one.entries if entry.since), default=None)
