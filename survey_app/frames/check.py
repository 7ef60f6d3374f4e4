"""The dry check: what would be imported, and everything to know before. Nothing is written here. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from survey_app.frames.entries import Entry, Note, Reading, Territory, newest_date
from survey_app.frames.files import FrameError, read_file
from survey_app.frames.headings import normalised
from survey_app.frames.line_reader import read_entries
from survey_app.frames.people import namesakes, persons, without_twins
from survey_app.frames.words import COMMUNE, DEPARTMENT, INTERCOMMUNALITY, rank

T = TypeVar("T")

MOST_FILES: Final = 6
MOST_UNITS: Final = 10_000
LISTS: Final = {
    "people": "Des élus, par leur nom",
    "directory": "L’Annuaire de l’administration",
    "places": "Des collectivités, sans nom d’élu",
}
NOWHERE: Final = ""
"""The arrondissement of a line that has none."""


@dataclass(frozen=True)
class FrameCheck:
    """What some files hold together, and all that is to be known of it."""

    territory: Territory
    readings: tuple[Reading, ...]
    entries: tuple[Entry, ...]
    """One per mandate, or per authority where no list names people."""
    persons: tuple[int, ...]
    """For each entry, the number of its person."""
    left_out: tuple[Note, ...]
    doubts: tuple[Note, ...]
    unmatched: int
    """Addresses that belong to nobody of the list."""

    @property
    def elsewhere(self) -> int:
        """Lines of other departments."""
        return sum(reading.elsewhere for reading in self.readings)

    @property
    def offices(self) -> list[str]:
        """The offices that occur, those first who speak for their authority."""
        return sorted({entry.office for entry in self.entries}, key=rank)

    def counts(self) -> list[tuple[str, dict[str, int]]]:
        """(arrondissement, office → number), in the order of the organisation, the unknown last."""
        found = Counter((entry.arrondissement or NOWHERE, entry.office) for entry in self.entries)
        known = list(self.territory.arrondissements.values())
        others = sorted({where for where, _ in found} - {*known, NOWHERE})
        rows = [*known, *others, *([NOWHERE] if any(where == NOWHERE for where, _ in found) else [])]
        return [(where, {office: found[where, office] for office in self.offices}) for where in rows]

    def nowhere(self) -> list[Entry]:
        """Communes whose arrondissement nobody says."""
        return [entry for entry in self.entries if entry.kind == COMMUNE and not entry.arrondissement]

    def unknown_arrondissements(self) -> list[str]:
        """Arrondissements that the organisation does not have."""
        known = set(self.territory.arrondissements.values())
        found = {entry.arrondissement for entry in self.entries if entry.arrondissement}
        return sorted(found - known) if known else []

    def empty_arrondissements(self) -> list[str]:
        """Arrondissements of the organisation in which nobody is listed."""
        found = {entry.arrondissement for entry in self.entries}
        return [name for name in self.territory.arrondissements.values() if name not in found]

    def shared_mailboxes(self) -> list[tuple[str, int]]:
        """(address, number of lines) for each that serves several, the most shared first."""
        found = Counter(entry.email for entry in self.entries if entry.email)
        return [(address, number) for address, number in found.most_common() if number > 1]

    def several_mandates(self) -> int:
        """How many people hold more than one of the mandates."""
        return sum(number > 1 for number in Counter(self.persons).values())

    def namesakes(self) -> list[list[Entry]]:
        """Lines of one name that are taken for several people."""
        return namesakes(self.entries, self.persons)

    def by_letter(self) -> list[Entry]:
        """Those without an electronic address who have a postal one."""
        return [entry for entry in self.entries if not entry.email and entry.postal_address]

    def unreachable(self) -> list[Entry]:
        """Those with neither."""
        return [entry for entry in self.entries if not entry.email and not entry.postal_address]

    def newest_office(self) -> dt.date | None:
        """The latest beginning of an office that the files know."""
        return newest_date(self.readings)

    def too_old(self, source_date: dt.date) -> bool:
        """Whether somebody took office after the day the files are said to be of."""
        newest = self.newest_office()
        return newest is not None and newest > source_date


def check_files(files: Sequence[tuple[str, bytes]], territory: Territory, today: dt.date) -> FrameCheck:
    """Read some files as one list: who, and where they are reached.

    Raises
    ------
    FrameError
        No list can be made of them; every fault of every file is told.
    """
    readings = _read_all(files, territory, today)
    base, rest = _base(readings)
    own = sorted((entry for reading in base for entry in reading.entries), key=lambda one: not one.principal)
    completed = _Completion(rest)
    sorted_out = without_twins(map(completed, own))
    _refuse_nothing_and_too_many(readings, sorted_out.entries, territory)
    left = [note for reading in readings for note in reading.left_out]
    return FrameCheck(
        territory,
        tuple(readings),
        tuple(sorted_out.entries),
        tuple(persons(sorted_out.entries)),
        tuple(left + sorted_out.left_out),
        tuple(note for reading in readings for note in reading.doubts),
        completed.unmatched(),
    )


def _read_all(files: Sequence[tuple[str, bytes]], territory: Territory, today: dt.date) -> list[Reading]:
    if not files:
        raise FrameError("Choisissez au moins un fichier.")
    if len(files) > MOST_FILES:
        raise FrameError(f"{MOST_FILES} fichiers au plus.")
    readings: list[Reading] = []
    faults: list[str] = []
    for name, raw in files:
        try:
            readings.append(read_entries(read_file(name, raw), territory, today))
        except FrameError as fault:
            faults += fault.faults
    if faults:
        raise FrameError(*faults)
    return readings


def _base(readings: Sequence[Reading]) -> tuple[list[Reading], list[Reading]]:
    """The files that say who is asked, and those that say the rest."""
    for lists in LISTS:
        base = [reading for reading in readings if reading.lists == lists]
        if base:
            return base, [reading for reading in readings if reading.lists != lists]
    raise FrameError("Aucun fichier ne dit qui interroger.")


def _refuse_nothing_and_too_many(
    readings: Sequence[Reading], entries: Sequence[Entry], territory: Territory
) -> None:
    if len(entries) > MOST_UNITS:
        raise FrameError(f"{len(entries)} destinataires\u00a0: {MOST_UNITS} au plus. Partagez la liste.")
    if entries:
        return
    elsewhere = sum(reading.elsewhere for reading in readings)
    if elsewhere:
        what = f"{elsewhere} lignes sont d’autres départements."
        raise FrameError(f"Aucune ligne du département {territory.code}\u00a0: {what}")
    raise FrameError(
        "Aucune ligne ne peut être importée.",
        *(
            f"{note.file}, ligne {note.line}\u00a0: {note.text}"
            for one in readings
            for note in one.left_out[:20]
        ),
    )


class _Completion:
    """Gives an entry what the other files know: arrondissement, inhabitants, addresses."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._known: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._used: set[tuple[str, int]] = set()
        # What was made by hand goes before the Annuaire.
        entries = [one for reading in sorted(readings, key=_is_directory) for one in reading.entries]
        for entry in sorted(entries, key=lambda one: not one.principal):
            for key in _keys(entry):
                self._known[key].append(entry)
        self._all = entries

    def __call__(self, entry: Entry) -> Entry:
        """The entry, completed where it says nothing itself."""
        found = next((self._known[key] for key in _keys(entry) if key in self._known), [])
        self._used.update((one.file, one.line) for one in found)
        return replace(
            entry,
            name=entry.name or next((one.name for one in found if one.name), f"Code {entry.code}"),
            arrondissement=_first(entry.arrondissement, self._arrondissements(found)),
            inhabitants=_first(entry.inhabitants, (one.inhabitants for one in found)),
            email=_first(entry.email, (one.email for one in found)),
            postal_address=_first(entry.postal_address, (one.postal_address for one in found)),
        )

    def _arrondissements(self, found: Sequence[Entry]) -> Iterator[str | None]:
        """Of the authority itself; of an intercommunality, that of the commune where it has its seat."""
        yield from (one.arrondissement for one in found)
        for seat in (one.commune for one in found if one.kind == INTERCOMMUNALITY):
            yield from (one.arrondissement for one in self._known.get((COMMUNE, seat), ()))

    def unmatched(self) -> int:
        """How many lines with an address were of no use."""
        return sum(
            (entry.email is not None or entry.postal_address is not None)
            and (entry.file, entry.line) not in self._used
            for entry in self._all
        )


def _is_directory(reading: Reading) -> bool:
    return reading.lists == "directory"


def _keys(entry: Entry) -> Iterator[tuple[str, str]]:
    """By its code; by its name where the codes of two lists differ in kind."""
    yield entry.kind, entry.code
    if entry.kind == DEPARTMENT:
        yield entry.kind, DEPARTMENT
    elif entry.kind != COMMUNE and entry.name:
        yield entry.kind, normalised(entry.name)


def _first(own: T | None, others: Iterator[T | None]) -> T | None:
    return own if own is not None else next((one for one in others if one is not None), None)
