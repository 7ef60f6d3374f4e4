"""Where the counters of a cell stand, and their names: the rules are in them (rule S9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from analysis.outcomes import OUTCOME_NAMES, ItemReader

RESPONSES, COMPLETE, ASSISTED, ALONE = range(4)
HEAD = ("responses", "complete", "assisted", "alone")
"""What is counted of the responses themselves, whatever was asked."""
SUM_NAMES = ("n", "k", "b", "kk", "kb", "bb")


@dataclass(frozen=True)
class ItemPlace:
    """Where the counters of one item stand: six outcomes, then its codes, then the sum of its numbers."""

    reader: ItemReader
    start: int

    @cached_property
    def codes_start(self) -> int:
        """Position of the first code's counter."""
        return self.start + len(OUTCOME_NAMES)

    @cached_property
    def stop(self) -> int:
        """Position after the item's last counter."""
        return self.codes_start + len(self.reader.codes) + self.reader.sums_numbers

    def counter_names(self) -> Iterator[str]:
        """Names of the counters in order; they carry the rules: another rule makes another digest."""
        name = self.reader.name
        yield from (f"{name} {outcome}" for outcome in OUTCOME_NAMES)
        yield from (f"{name} = {code} ({outcome.name})" for code, outcome in self.reader.codes.items())
        if self.reader.sums_numbers:
            yield f"{name} sum"


@dataclass(frozen=True, slots=True)
class CommitmentPlace:
    """Where the six sums of one commitment stand, and the items they sum."""

    code: str
    items: tuple[str, ...]
    rules: str
    """Names the items' counters, so that sums made by other rules never pass for these."""
    start: int

    def counter_names(self) -> Iterator[str]:
        """Names of the six counters in order."""
        return (f"@{self.code} {name} {self.rules}" for name in SUM_NAMES)
