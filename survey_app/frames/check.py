"""The dry check: what would be imported, and everything to know before. Nothing is written here. Floor 4."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from survey_app.frames.completion import Completion
from survey_app.frames.entries import Entry, Note, Reading, Territory, newest_date
from survey_app.frames.files import FrameError, read_file
from survey_app.frames.line_reader import read_entries
from survey_app.frames.people import namesakes, persons, without_twins
from survey_app.frames.words import COMMUNE, rank

MOST_FILES: Final = 6
MOST_UNITS: Final = 10_000
MOST_TOLD: Final = 20
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
    completion = Completion(rest)
    completed = [completion(entry) for entry in own]
    sorted_out = without_twins(entry for entry in completed if entry.code)
    left = [note for reading in readings for note in reading.left_out]
    left += [Note(entry.file, entry.line, _no_code(entry)) for entry in completed if not entry.code]
    _refuse_nothing_and_too_many(readings, sorted_out.entries, left, territory)
    return FrameCheck(
        territory,
        tuple(readings),
        tuple(sorted_out.entries),
        tuple(persons(sorted_out.entries)),
        _in_order(left + sorted_out.left_out, readings),
        _in_order((note for reading in readings for note in reading.doubts), readings),
        completion.unmatched(),
    )


def _in_order(notes: Iterable[Note], readings: Sequence[Reading]) -> tuple[Note, ...]:
    """As the lines stand in the files, the files as they were given."""
    place = {reading.sheet.name: at for at, reading in enumerate(readings)}
    return tuple(sorted(notes, key=lambda note: (place.get(note.file, 0), note.line)))


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
    readings: Sequence[Reading], entries: Sequence[Entry], left: Sequence[Note], territory: Territory
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
        *(f"{note.file}, ligne {note.line}\u00a0: {note.text}" for note in left[:MOST_TOLD]),
    )


def _no_code(entry: Entry) -> str:
    """Of a line that names its authority, and whose code no other file knows."""
    if not entry.name:
        return "ni code, ni nom de collectivité. Complétez la ligne."
    if entry.kind == COMMUNE:
        return (
            f"le code INSEE manque, et aucun fichier ne le donne pour «\u202f{entry.name}\u202f». "
            "Ajoutez-le, ou déposez aussi la liste des communes de l’Insee."
        )
    return f"le numéro SIREN de «\u202f{entry.name}\u202f» manque. Ajoutez-le."
