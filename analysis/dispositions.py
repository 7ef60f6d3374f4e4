"""What became of the people asked (rule S7), with the names of AAPOR's Standard Definitions.

https://aapor.org/standards-and-ethics/standard-definitions/
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from operator import add


@dataclass(frozen=True, slots=True)
class Dispositions:
    """Numbers of people, one disposition each.

    Anonymous modes know ``complete`` and ``partial`` only; the others need a list of the people invited.
    """

    complete: int = 0
    partial: int = 0
    refused: int = 0
    unreachable: int = 0
    ineligible: int = 0
    unknown: int = 0
    """Invited, and nothing is known of them."""

    def __add__(self, other: Dispositions) -> Dispositions:
        return Dispositions(*map(add, astuple(self), astuple(other)))

    @property
    def started(self) -> int:
        """Those who gave at least one answer: complete ones reached the end, partial ones did not."""
        return self.complete + self.partial

    @property
    def eligible_or_unknown(self) -> int:
        """The denominator of RR1 and RR2: everybody but the ineligible."""
        return self.started + self.refused + self.unreachable + self.unknown

    @property
    def completion_rate(self) -> float | None:
        """Completed among started."""
        return _share(self.complete, self.started)

    @property
    def response_rate_1(self) -> float | None:
        """AAPOR RR1, the minimum: completes among all who may be eligible."""
        return _share(self.complete, self.eligible_or_unknown)

    @property
    def response_rate_2(self) -> float | None:
        """AAPOR RR2: as RR1, partials counted as responses."""
        return _share(self.started, self.eligible_or_unknown)

    @property
    def cooperation_rate_1(self) -> float | None:
        """AAPOR COOP1: completes among those who were reached."""
        return _share(self.complete, self.started + self.refused)

    @property
    def refusal_rate_1(self) -> float | None:
        """AAPOR REF1: refusals among all who may be eligible."""
        return _share(self.refused, self.eligible_or_unknown)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
