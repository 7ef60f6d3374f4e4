"""What one list leaves open and another one knows: code, name, place, inhabitants, addresses. Floor 4."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from survey_app.frames.entries import Entry, Reading
from survey_app.frames.headings import normalised
from survey_app.frames.words import COMMUNE, DEPARTMENT, INTERCOMMUNALITY

T = TypeVar("T")


class Completion:
    """Completes an entry from other files: by its code, and by its name where one of the two has no code."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._by_code: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._used: set[tuple[str, int]] = set()
        # What was made by hand goes before the Annuaire, and a town hall before its branches.
        by_hand_first = sorted(readings, key=lambda reading: reading.lists == "directory")
        self._all = [entry for reading in by_hand_first for entry in reading.entries]
        for entry in sorted(self._all, key=lambda one: not one.principal):
            if entry.code:
                self._by_code[entry.kind, entry.code].append(entry)
            self._by_name[entry.kind, place(entry.name)].append(entry)

    def __call__(self, entry: Entry) -> Entry:
        """The entry, completed where it says nothing itself."""
        found = list(self._found(entry))
        self._used.update((one.file, one.line) for one in found)
        code = entry.code or next((one.code for one in found if one.code), "")
        return replace(
            entry,
            code=code,
            name=entry.name or next((one.name for one in found if one.name), code and f"Code {code}"),
            arrondissement=_first(entry.arrondissement, self._arrondissements(found)),
            inhabitants=_first(entry.inhabitants, (one.inhabitants for one in found)),
            email=_first(entry.email, (one.email for one in found)),
            postal_address=_first(entry.postal_address, (one.postal_address for one in found)),
            commune=entry.commune or (code if entry.kind == COMMUNE else ""),
        )

    def _found(self, entry: Entry) -> Iterator[Entry]:
        if entry.kind == DEPARTMENT:  # there is one
            yield from (one for one in self._all if one.kind == DEPARTMENT)
            return
        yield from self._by_code.get((entry.kind, entry.code), ())
        for one in self._by_name.get((entry.kind, place(entry.name)), ()) if entry.name else ():
            if not (entry.code and one.code):
                yield one

    def _arrondissements(self, found: Sequence[Entry]) -> Iterator[str | None]:
        """Of the authority itself; of an intercommunality, that of the commune where it has its seat."""
        yield from (one.arrondissement for one in found)
        for seat in (one.commune for one in found if one.kind == INTERCOMMUNALITY):
            yield from (one.arrondissement for one in self._by_code.get((COMMUNE, seat), ()))

    def unmatched(self) -> int:
        """How many lines with an address were of no use."""
        return sum(
            (entry.email is not None or entry.postal_address is not None)
            and (entry.file, entry.line) not in self._used
            for entry in self._all
        )


def place(name: str) -> str:
    """A name to compare: « St Maixent » is « Saint-Maixent », « Absie (L') » is « L’Absie »."""
    words = re.sub(r"\bst\b", "saint", re.sub(r"\bste\b", "sainte", normalised(name)))
    return re.sub(r"^(la|le|les|l) | (la|le|les|l)$", "", words)


def _first(own: T | None, others: Iterator[T | None]) -> T | None:
    return own if own is not None else next((one for one in others if one is not None), None)
