"""How many answered with the help of an agent: the tablet asks the agent who hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from analysis.publication import FLOORS, Readers

ShownAssistance: TypeAlias = dict[str, int | None]
"""``assisted``, ``alone``, ``unsaid`` → number of people; None where it is hidden."""


@dataclass(frozen=True, slots=True)
class Assistance:
    """Numbers of people."""

    assisted: int
    alone: int
    unsaid: int
    """The agent said neither."""

    def shown_to(self, readers: Readers) -> ShownAssistance:
        """Without the numbers of too few people, nor those that give them away with the sum of all three."""
        floor = FLOORS[readers]
        numbers = {"assisted": self.assisted, "alone": self.alone, "unsaid": self.unsaid}
        hidden = {name for name, number in numbers.items() if 0 < number < floor}
        others = [name for name in numbers if name not in hidden]
        others.sort(key=lambda name: (numbers[name] == 0, numbers[name]))
        while hidden and others and (len(hidden) == 1 or sum(numbers[name] for name in hidden) < floor):
            hidden.add(others.pop(0))
        return {name: None if name in hidden else number for name, number in numbers.items()}
