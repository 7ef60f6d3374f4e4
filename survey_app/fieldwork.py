"""The follow-up of a wave by personal link: what became of the people asked, stratum by stratum. Floor 4.

Counts of flags alone: no time, no name, no answer. Readers other than the referent see no small count, nor
what would give one away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from operator import add
from typing import Final

from analysis.dispositions import Dispositions
from analysis.hidden_counts import hidden_counts
from analysis.planning import missing_answers
from analysis.publication import FLOORS, Readers
from survey_app.database import db
from survey_app.invitation_models import WaveFrame
from survey_app.responses.participation import ENDS, participation
from survey_app.strata import strata_of


@dataclass(frozen=True)
class Participation:
    """People of one stratum, or of all: what became of them, how they were written to, and who began."""

    complete: int = 0
    refused: int = 0
    unreachable: int = 0
    ineligible: int = 0
    unknown: int = 0
    by_letter: int = 0
    """No e-mail address: a letter was printed."""
    delivered: int = 0
    """A mail to them was taken by the relay, and none came back."""
    started: int = 0

    def __add__(self, other: Participation) -> Participation:
        return Participation(*map(add, astuple(self), astuple(other)))

    @property
    def invited(self) -> int:
        """Everybody in the list."""
        return sum(self.ends)

    @property
    def ends(self) -> tuple[int, ...]:
        """The parts into which the people asked fall, in the order of ``ENDS``."""
        return tuple(getattr(self, name) for name in ENDS)

    @property
    def dispositions(self) -> Dispositions:
        """In AAPOR's terms."""
        return Dispositions(**{name: getattr(self, name) for name in ENDS})


COUNTS: Final = ("by_letter", "delivered", "started", *ENDS)
"""What can be hidden; who was invited is the frozen list."""


@dataclass(frozen=True)
class Line:
    """One line of the follow-up, as its reader may see it: None for what is hidden."""

    name: str
    invited: int
    counts: Mapping[str, int | None]

    def rate(self, name: str) -> float | None:
        """A rate of :class:`Dispositions` by its name; None where it has no base, or a hidden part."""
        parts = {end: self.counts[end] for end in ENDS}
        known = {end: number for end, number in parts.items() if number is not None}
        if len(known) < len(parts):
            return self._bare_rate(name)
        found: float | None = getattr(Dispositions(**known), name)
        return found

    def _bare_rate(self, name: str) -> float | None:
        """With some parts hidden, the rates whose two numbers are shown all the same."""
        part, gone = self.counts[RATES[name]], self.counts["ineligible"]
        if name == "cooperation_rate_1" or part is None or gone is None or self.invited == gone:
            return None
        return part / (self.invited - gone)


RATES: Final[Mapping[str, str]] = {
    "response_rate_1": "complete",
    "cooperation_rate_1": "complete",
    "refusal_rate_1": "refused",
}
"""Rate of :class:`Dispositions` → the part it counts."""


@dataclass(frozen=True)
class FollowUp:
    """The follow-up of one wave: a line per stratum, in the order of the list, then all of them."""

    titles: Sequence[str]
    strata: Sequence[Participation]

    @cached_property
    def whole(self) -> Participation:
        """All strata together."""
        return sum(self.strata, Participation())

    def lines(self, readers: Readers | None) -> tuple[Line, ...]:
        """What these readers may see; None = the referent, who sees every count."""
        groups = [*zip(self.titles, self.strata, strict=True), ("Ensemble", self.whole)]
        hidden = [set[str]() for _ in groups] if readers is None else self._hidden(FLOORS[readers])
        return tuple(
            Line(
                title,
                people.invited,
                {name: None if name in gone else getattr(people, name) for name in COUNTS},
            )
            for (title, people), gone in zip(groups, hidden, strict=True)
        )

    def missing(self) -> dict[str, int]:
        """Stratum → the answers that still miss for ±6 points, where any do."""
        answered = {title: people.complete for title, people in self._named()}
        people = {title: found.invited for title, found in self._named()}
        return {title: number for title, number in missing_answers(answered, people).items() if number}

    def _named(self) -> Iterable[tuple[str, Participation]]:
        return zip(self.titles, self.strata, strict=True)

    def _hidden(self, floor: int) -> list[set[str]]:
        """Per line, the counts that stay hidden. Every table splits the people of its lines into parts."""
        found = [set[str]() for _ in (*self.strata, self.whole)]
        tables: Sequence[tuple[Sequence[str], list[Sequence[int]]]] = (
            (ENDS, [people.ends for people in self.strata]),
            (("by_letter", ""), [(p.by_letter, p.invited - p.by_letter) for p in self.strata]),
            (("delivered", ""), [(p.delivered, p.invited - p.delivered) for p in self.strata]),
            (("started", ""), [(p.started, p.invited - p.started) for p in self.strata]),
        )
        for names, groups in tables:
            for line, mask in enumerate(hidden_counts(groups, floor)):
                found[line] |= {name for name, gone in zip(names, mask, strict=True) if gone and name}
        return found


def follow_up(frame: WaveFrame) -> FollowUp:
    """The follow-up of a wave by personal link: as it is now, and once it is closed as it was then."""
    strata = strata_of(frame)
    place = {part: stratum.code for stratum in strata for part in stratum.parts}
    found: dict[str, Counter[str]] = {stratum.code: Counter() for stratum in strata}
    for stratum, counts in participation(db.session(), frame).items():
        found.setdefault(place.get(stratum, stratum), Counter()).update(counts)
    titles = {stratum.code: stratum.title for stratum in strata}
    return FollowUp(
        [titles.get(code, code) for code in found],
        [
            Participation(**{field.name: one[field.name] for field in fields(Participation)})
            for one in found.values()
        ],
    )
