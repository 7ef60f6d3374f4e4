"""The figures of any group of tally cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from analysis.assistance import Assistance
from analysis.axes import CommitmentResult, ItemResult, MeasuredItem, Reading, commitment_result
from analysis.counter_places import ALONE, ASSISTED, COMPLETE, RESPONSES
from analysis.dispositions import Dispositions
from analysis.rates import Rate, Tally
from analysis.tally import Cell64, CellLayout


@dataclass(frozen=True, eq=False)
class Figures:
    """The figures of a group of cells."""

    layout: CellLayout
    vector: Cell64
    reading: Reading
    population: int | None = None

    @property
    def responses(self) -> int:
        """Responses counted."""
        return int(self.vector[RESPONSES])

    @property
    def complete(self) -> int:
        """Responses that reached the end."""
        return int(self.vector[COMPLETE])

    @property
    def dispositions(self) -> Dispositions:
        """Complete and partial responses."""
        return Dispositions(complete=self.complete, partial=self.responses - self.complete)

    @property
    def assistance(self) -> Assistance:
        """Who answered with the help of an agent."""
        assisted, alone = int(self.vector[ASSISTED]), int(self.vector[ALONE])
        return Assistance(assisted, alone, self.responses - assisted - alone)

    @cached_property
    def commitments(self) -> tuple[CommitmentResult, ...]:
        """One result per measured commitment, in the order of the questionnaire."""
        declared = {commitment.code: commitment for commitment in self.layout.questionnaire.commitments}
        return tuple(
            commitment_result(
                code,
                [self._measured(item) for item in place.items],
                self.reading,
                rule=declared[code].rule,
                title=declared[code].title,
                sums=self.layout.sums(self.vector, code),
                population=self.population,
            )
            for code, place in self.layout.commitments.items()
        )

    def _measured(self, name: str) -> MeasuredItem:
        tally = self.tally(name)
        rate = Rate(tally.favourable, tally.base, population=self.population)
        return MeasuredItem(name, rate, self.layout.questionnaire.items_by_name[name].label, tally)

    @property
    def items(self) -> tuple[ItemResult, ...]:
        """The results of all items that measure a commitment."""
        return tuple(item for commitment in self.commitments for item in commitment.items)

    @property
    def axes(self) -> tuple[CommitmentResult, ...]:
        """The official improvement axes."""
        return tuple(result for result in self.commitments if result.improvement_axis)

    def tally(self, item: str) -> Tally:
        """The answers to an item, absences apart."""
        return self.layout.tally(self.vector, item)

    def code_counts(self, item: str) -> dict[str, int]:
        """How often each option of an item was chosen."""
        return self.layout.code_counts(self.vector, item)

    def mean(self, item: str) -> float | None:
        """Mean of the numbers given to an item; None without any."""
        total, base = self.layout.number_sum(self.vector, item), self.tally(item).base
        return total / base if total is not None and base else None
