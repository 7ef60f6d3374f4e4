"""Answers → whole-number counters, in one fixed order per questionnaire (rules S1, S2 and S9).

A *tally cell* is one int64 vector. Cells add, subtract and merge by plain vector addition; counting an answer
and then taking it away is the identity. A :class:`CellLayout` says which counter stands where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.counter_places import HEAD, RESPONSES, SUM_NAMES, CommitmentPlace, ItemPlace
from analysis.outcomes import OUTCOME_NAMES, Outcome, item_reader
from analysis.rates import RespondentSums, Tally
from form_definitions.bundle import questionnaire_digest
from form_definitions.model import Questionnaire

Cell64: TypeAlias = NDArray[np.int64]
Counts64: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CountedResponse:
    """One person's answers, ready to be counted.

    Parameters
    ----------
    answers : Mapping
        Answers on the path, as a record's JSON holds them. Odd values count as unanswered, never as an error.
    asked : Collection of str
        Names of the items on the path; the others count as off the path.
    complete : bool
        Whether the respondent reached the end.
    assisted : bool, optional
        Whether an agent helped; nobody said so where it is None.
    """

    answers: Mapping[str, object]
    asked: Collection[str]
    complete: bool = True
    assisted: bool | None = None


@dataclass(frozen=True)
class CellLayout:
    """The fixed order of counters for one questionnaire."""

    questionnaire: Questionnaire = field(repr=False)

    @cached_property
    def questionnaire_digest(self) -> str:
        """Names the exact questionnaire; costly, as the whole of it is written for it."""
        return questionnaire_digest(self.questionnaire)

    @cached_property
    def items(self) -> Mapping[str, ItemPlace]:
        """Where each item's counters stand. Information notes have none."""
        places, start = {}, len(HEAD)
        for item in self.questionnaire.items:
            reader = item_reader(item)
            if reader is not None:
                places[item.name] = ItemPlace(reader, start)
                start = places[item.name].stop
        return places

    @cached_property
    def commitments(self) -> Mapping[str, CommitmentPlace]:
        """Where each commitment's six sums stand. A commitment measured by no item has none."""
        places, start = {}, max((place.stop for place in self.items.values()), default=len(HEAD))
        for commitment in self.questionnaire.commitments:
            rated = self.rated_items(commitment.code)
            if rated:
                rules = _digest(name for item in rated for name in self.items[item].counter_names())
                places[commitment.code] = CommitmentPlace(commitment.code, rated, rules, start)
                start += len(SUM_NAMES)
        return places

    def rated_items(self, commitment: str) -> tuple[str, ...]:
        """The items whose answers make the commitment's rate."""
        items = self.questionnaire.items_of(commitment)
        return tuple(item.name for item in items if item.name in self.items and item.rate is not None)

    @cached_property
    def counter_names(self) -> tuple[str, ...]:
        """What each counter counts, in order."""
        places: tuple[ItemPlace | CommitmentPlace, ...] = (*self.items.values(), *self.commitments.values())
        return (*HEAD, *(name for place in places for name in place.counter_names()))

    @cached_property
    def size(self) -> int:
        """Number of counters of a cell."""
        return len(self.counter_names)

    @cached_property
    def digest(self) -> str:
        """Names the layout (SHA-256, 64 hex digits). Cells of different digests never add."""
        return _digest(self.counter_names)

    def zero(self) -> Cell64:
        """An empty cell."""
        return np.zeros(self.size, dtype=np.int64)

    def vector(self, response: CountedResponse) -> Cell64:
        """The cell of one response alone. Add it to count the response, subtract it to take it away."""
        counters = [0] * self.size
        told = (True, response.complete, response.assisted is True, response.assisted is False)
        counters[: len(HEAD)] = map(int, told)
        outcomes = {name: self._count(place, response, counters) for name, place in self.items.items()}
        for commitment in self.commitments.values():
            given = [outcomes[item] for item in commitment.items]
            favourable = given.count(Outcome.FAVOURABLE)
            base = favourable + given.count(Outcome.UNFAVOURABLE)
            if base:
                counters[commitment.start : commitment.start + len(SUM_NAMES)] = six_sums(favourable, base)
        return np.array(counters, dtype=np.int64)

    @staticmethod
    def _count(place: ItemPlace, response: CountedResponse, counters: list[int]) -> Outcome:
        reader = place.reader
        if reader.name not in response.asked:
            counters[place.start + Outcome.OFF_PATH] = 1
            return Outcome.OFF_PATH
        answer = reader.read(response.answers.get(reader.name))
        for position in answer.positions:
            counters[place.codes_start + position] = 1
        if reader.sums_numbers:
            counters[place.stop - 1] = answer.number
        counters[place.start + answer.outcome] = 1
        return answer.outcome

    def merge(self, cells: Iterable[Cell64]) -> Cell64:
        """All cells together; nothing gives an empty cell."""
        total = self.zero()
        for cell in cells:
            total += cell
        return total

    def tally(self, cell: Cell64, item: str) -> Tally:
        """The answers to one item, absences apart."""
        start = self.items[item].start
        favourable, unfavourable, *absences = map(int, cell[start : start + len(OUTCOME_NAMES)])
        return Tally(favourable, favourable + unfavourable, *absences)

    def code_counts(self, cell: Cell64, item: str) -> dict[str, int]:
        """How often each option (or each note from 0 to 10) was chosen, in the order of the questionnaire."""
        place = self.items[item]
        counts = cell[place.codes_start : place.codes_start + len(place.reader.codes)]
        return dict(zip(place.reader.codes, map(int, counts), strict=True))

    def number_sum(self, cell: Cell64, item: str) -> int | None:
        """Sum of the numbers given; None for an item that takes no number. The mean is this over the base."""
        place = self.items[item]
        return int(cell[place.stop - 1]) if place.reader.sums_numbers else None

    def sums(self, cell: Cell64, commitment: str) -> RespondentSums:
        """The six sums of one commitment."""
        start = self.commitments[commitment].start
        return RespondentSums(*map(int, cell[start : start + len(SUM_NAMES)]))

    def to_bytes(self, cell: Cell64) -> bytes:
        """The cell as little-endian 64-bit integers."""
        return cell.astype("<i8").tobytes()

    def from_bytes(self, *data: bytes) -> Counts64:
        """The cells from their bytes: an array of shape ``(len(data), size)``.

        Raises
        ------
        ValueError
            When some of the bytes are not a cell of this layout.
        """
        wrong = {len(one) for one in data} - {8 * self.size}
        if wrong:
            raise ValueError(f"Cellule de {wrong} octets\u202f; cette disposition en compte {8 * self.size}.")
        return np.frombuffer(b"".join(data), dtype="<i8").astype(np.int64).reshape(-1, self.size)

    def continued_items(self, source: CellLayout) -> frozenset[str]:
        """The items whose answers to another version of the questionnaire count on in this one.

        An item counts on when it is counted alike, and when its commitment does: no item of it was dropped,
        moved or given another rule. An item added to a commitment was off the path of earlier responses.
        """
        if source.digest not in self._continued:
            self._continued[source.digest] = self._compare(source)
        return self._continued[source.digest]

    @cached_property
    def _continued(self) -> dict[str, frozenset[str]]:
        return {}

    def _compare(self, source: CellLayout) -> frozenset[str]:
        alike = {
            name
            for name, place in self.items.items()
            if name in source.items and [*place.counter_names()] == [*source.items[name].counter_names()]
        }
        broken = {
            item
            for code, place in self.commitments.items()
            if set(source._measured_by(code)) != alike.intersection(place.items)
            for item in place.items
        }
        return frozenset(alike - broken)

    def _measured_by(self, commitment: str) -> tuple[str, ...]:
        place = self.commitments.get(commitment)
        return place.items if place else ()

    def adopt(self, cell: Cell64, source: CellLayout) -> Cell64:
        """A cell of another version of the questionnaire in this layout.

        The answers to :meth:`continued_items` are kept; all others are off the path of the cell's responses.
        """
        continued, adopted = self.continued_items(source), self.zero()
        adopted[: len(HEAD)] = cell[: len(HEAD)]
        for name, place in self.items.items():
            if name in continued:
                adopted[place.start : place.stop] = cell[source.items[name].start : source.items[name].stop]
            else:
                adopted[place.start + Outcome.OFF_PATH] = cell[RESPONSES]
        for code, sums in self.commitments.items():
            if continued.intersection(sums.items):
                start = source.commitments[code].start
                adopted[sums.start : sums.start + len(SUM_NAMES)] = cell[start : start + len(SUM_NAMES)]
        return adopted

    def adopt_named(self, cell: Cell64, names: Sequence[str]) -> Cell64:
        """A cell counted under other rules, known by its counters’ names, in this layout.

        What was counted alike is kept; another item is off the path, and another commitment has no sums.
        """
        position = {name: index for index, name in enumerate(names)}
        adopted = self.zero()
        for place_in_head, name in enumerate(HEAD):
            adopted[place_in_head] = cell[position[name]] if name in position else 0
        for place in self.items.values():
            found = [position[name] for name in place.counter_names() if name in position]
            if len(found) == place.stop - place.start:
                adopted[place.start : place.stop] = cell[found]
            else:
                adopted[place.start + Outcome.OFF_PATH] = cell[RESPONSES]
        for sums in self.commitments.values():
            found = [position[name] for name in sums.counter_names() if name in position]
            if len(found) == len(SUM_NAMES):
                adopted[sums.start : sums.start + len(SUM_NAMES)] = cell[found]
        return adopted


def six_sums(favourable: int, base: int) -> tuple[int, ...]:
    """What one respondent adds to the six sums of a commitment."""
    return (1, favourable, base, favourable * favourable, favourable * base, base * base)


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
