"""What a wave declares, the cells it is counted in, and which part of it a report looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from analysis.axes import Reading
from analysis.periods import lies_in
from analysis.planning import MARGIN
from analysis.tally import Cell64


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """The counters of the responses of one site, mode, language and day."""

    site: str
    mode: str
    language: str
    day: date
    vector: Cell64


@dataclass(frozen=True, slots=True)
class WaveSettings:
    """What a wave declares beforehand.

    ``sites`` and ``modes`` are where and how it collects. ``headline_modes`` and ``headline_sites`` are what
    its headline figure counts; None counts all of them. ``population`` is that of the whole wave, closed, in
    people; ``strata`` are those of its sites, where a frozen list gives them. Neither serves another part.
    """

    threshold: Fraction = Fraction(3, 4)
    confidence: float = 0.95
    method: str = "wilson"
    minimum_base: int = 30
    population: int | None = None
    strata: Mapping[str, int] = field(default_factory=dict)
    sites: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None
    headline_modes: tuple[str, ...] | None = None
    headline_sites: tuple[str, ...] | None = None
    expected_visits: Mapping[str, int | None] = field(default_factory=dict)
    margin: float = MARGIN

    @property
    def reading(self) -> Reading:
        """How the figures are read."""
        return Reading(self.threshold, self.confidence, self.method, self.minimum_base)

    @property
    def headline_is_whole(self) -> bool:
        """Whether the headline leaves out no site and no mode of the wave."""
        return _covers(self.headline_sites, self.sites) and self.every_mode_counts

    @property
    def every_mode_counts(self) -> bool:
        """Whether the headline leaves out no mode of the wave."""
        return _covers(self.headline_modes, self.modes)

    def population_of(self, part: Selection) -> int | None:
        """The closed population that a part of the wave comes from; None where nobody knows it."""
        if part.is_everything:
            return self.population if self.headline_is_whole else None
        if part.is_a_site and self.every_mode_counts:
            return self.strata.get(part.site or "")
        return None


def _covers(counted: tuple[str, ...] | None, collected: tuple[str, ...] | None) -> bool:
    return counted is None or (collected is not None and {*collected} <= {*counted})


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of a wave that a report looks at; None is all. ``period`` is one of ``analysis.periods``."""

    site: str | None = None
    mode: str | None = None
    language: str | None = None
    period: str | None = None

    def holds(self, cell: Cell) -> bool:
        """Whether a cell belongs to the part."""
        return (
            self.site in (None, cell.site)
            and self.mode in (None, cell.mode)
            and self.language in (None, cell.language)
            and (self.period is None or lies_in(cell.day, self.period))
        )

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    @property
    def is_a_site(self) -> bool:
        """Whether it is all of one site."""
        return self.site is not None and self == Selection(site=self.site)
