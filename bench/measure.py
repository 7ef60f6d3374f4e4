"""Interleaved rounds: ours and its floor alternate, and each round gives one ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One line of the table: what, ours, its floor, their ratio round by round, and the goal."""

    name: str
    ours: str
    floor: str
    ratios: tuple[float, ...]
    goal: str
    met: bool | None
    """None where the line has no goal of its own."""

    @property
    def ratio(self) -> str:
        """The median with its range; « – » where there is no floor."""
        if not self.ratios:
            return "–"
        low, high = min(self.ratios), max(self.ratios)
        return f"{statistics.median(self.ratios):.2f} ({low:.2f}–{high:.2f})"

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in a word."""
        return {True: "yes", False: "**no**", None: ""}[self.met]


@dataclass
class Section:
    """Lines that belong together, with what a reader must know about them."""

    title: str
    note: str
    lines: list[Line] = field(default_factory=list)


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def rounds(
    ours: Callable[[], object], floor: Callable[[], object], count: int, *, warm_up: bool = True
) -> tuple[list[float], list[float]]:
    """Seconds of each call, alternating; a first pair is only warm-up."""
    if warm_up:
        ours(), floor()
    pairs = [(seconds(floor), seconds(ours)) for _ in range(count)]
    return [own for _, own in pairs], [bare for bare, _ in pairs]


def slower_than(
    name: str, ours: Sequence[float], floor: Sequence[float], *, at_most: float, unit: str = "ms"
) -> Line:
    """A line of durations: the ratio must stay at or below ``at_most``."""
    ratios = tuple(own / bare for own, bare in zip(ours, floor, strict=True))
    met = statistics.median(ratios) <= at_most
    return Line(name, _duration(ours, unit), _duration(floor, unit), ratios, f"≤ {at_most:g} ×", met)


def faster_than(name: str, ours: Sequence[float], floor: Sequence[float], *, at_least: float) -> Line:
    """A line of rates per second: the ratio must reach ``at_least``."""
    ratios = tuple(own / bare for own, bare in zip(ours, floor, strict=True))
    met = statistics.median(ratios) >= at_least
    return Line(name, _rate(ours), _rate(floor), ratios, f"≥ {at_least:g} ×", met)


def within(name: str, value: float, limit: float, unit: str) -> Line:
    """A line with an absolute limit and no floor."""
    return Line(name, f"{value:.4g} {unit}", "–", (), f"≤ {limit:g} {unit}", value <= limit)


def _duration(values: Sequence[float], unit: str) -> str:
    factor = {"ms": 1e3, "s": 1.0}[unit]
    return f"{statistics.median(values) * factor:.3g} {unit}"


def _rate(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f}/s"
