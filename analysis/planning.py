"""How many answers are still missing for a wanted precision."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from analysis.intervals import smallest_base, wilson

MARGIN = 0.06
"""± 6 points: what a site should reach before its rate is compared with the threshold."""

PLANNING_RATE = 0.75
"""Precision is asked for where it matters: at the threshold."""


def margin_of(base: int, *, population: int | None = None, confidence: float = 0.95) -> float:
    """Half the width of Wilson's interval at 75 % for ``base`` answers, one per person; 0 for a census."""
    if population is not None and base >= population:
        return 0.0
    effective = base if population is None else base * (population - 1) / (population - base)
    low, high = wilson(PLANNING_RATE, effective, confidence)
    return (high - low) / 2


def answers_needed(margin: float = MARGIN, *, population: int | None = None, confidence: float = 0.95) -> int:
    """The fewest answers whose interval at 75 % is within ± ``margin`` (a fraction of 1)."""

    def precise(base: int) -> bool:
        return margin_of(base, population=population, confidence=confidence) <= margin

    return smallest_base(precise, most=population if population else ceil(4 / margin**2))


def missing_answers(
    responses: Mapping[str, int],
    expected: Mapping[str, int | None],
    *,
    population: int | None = None,
    margin: float = MARGIN,
    confidence: float = 0.95,
) -> dict[str, int]:
    """Per site, how many answers are still missing for ± ``margin``; 0 when none.

    Expected visits, where given, bound what a site can collect, and the ``population`` of the whole wave
    bounds every site of it: exactly where it has one site, on the safe side where it has several. Both serve
    this planning only: the interval of a site never takes its visitors for a closed population.
    """

    def needed(site: str) -> int:
        bounds = [known for known in (expected.get(site), population) if known is not None]
        return answers_needed(margin, population=min(bounds, default=None), confidence=confidence)

    sites = dict.fromkeys((*expected, *responses))
    return {site: max(0, needed(site) - responses.get(site, 0)) for site in sites}
