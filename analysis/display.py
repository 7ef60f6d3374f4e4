"""Figures as they are printed in French: one decimal, half up; bounds outward (rules S1 and S3).

Only printing rounds. Everything that is compared, stored or exported stays unrounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from analysis.rates import Interval

NO_BREAK = "\u00a0"
PERCENT = f"{NO_BREAK}%"
NOTHING = "–"
PLURAL = 20
"""Two points, in tenths."""
THIN = "\u202f"


def rate(favourable: int, base: int, threshold: Fraction | None = None, *, space: str = NO_BREAK) -> str:
    """A rate: ``78,5 %``; ``–`` for a base of 0.

    With a threshold, a rate below it that would be printed as high as the threshold is printed ``< 75 %``.
    ``space`` stands before the sign.
    """
    if base == 0:
        return NOTHING
    exact = Fraction(favourable, base)
    tenths = tenths_of_percent(exact)
    if threshold is not None and exact < threshold <= Fraction(tenths, 1000):
        return f"<{NO_BREAK}{share(threshold)}".replace(NO_BREAK, space)
    return _tenths(tenths) + space + "%"


def whole(number: int) -> str:
    """``12 345`` with narrow no-break spaces."""
    return f"{number:,}".replace(",", THIN)


def counted(number: int, one: str, many: str) -> str:
    """``1 réponse``, ``2 réponses``: French counts zero as one."""
    return f"{whole(number)} {many if number > 1 else one}"


def listed(names: Sequence[str]) -> str:
    """``Niort, Parthenay et Bressuire``."""
    *first, last = names or [""]
    return f"{', '.join(first)} et {last}" if first else last


def low_bound(interval: Interval) -> str:
    """The lower bound, rounded down: never above the bound itself."""
    bound = interval.exact_low
    return NOTHING if bound is None else _tenths(floor(bound * 1000)) + PERCENT


def high_bound(interval: Interval) -> str:
    """The upper bound, rounded up: never below the bound itself."""
    bound = interval.exact_high
    return NOTHING if bound is None else _tenths(ceil(bound * 1000)) + PERCENT


def bounds(interval: Interval) -> str:
    """Both bounds: ``73,2 – 83,0 %``; ``–`` without interval."""
    if interval.low is None:
        return NOTHING
    return f"{low_bound(interval).removesuffix(PERCENT)}{NO_BREAK}–{NO_BREAK}{high_bound(interval)}"


def share(part: Fraction) -> str:
    """A setting, exactly: ``75 %``, ``66,5 %``, or ``2/3`` where decimals would not end."""
    tenths = part * 1000
    if tenths.denominator != 1:
        return f"{part.numerator}/{part.denominator}"
    return _tenths(int(tenths)).removesuffix(",0") + PERCENT


def points(difference: float) -> str:
    """A difference of rates: ``+9,0 points``, with a true minus sign; the French plural starts at two."""
    tenths = tenths_of_percent(abs(difference))
    sign = "" if tenths == 0 else "+" if difference > 0 else "−"
    return f"{sign}{_tenths(tenths)}{NO_BREAK}point{'s' if tenths >= PLURAL else ''}"


def effective_base(value: float | None) -> str:
    """An effective base, rounded down, so that 29,96 never looks like 30; whole numbers without decimals."""
    return NOTHING if value is None else _tenths(floor(Fraction(value) * 10)).removesuffix(",0")


def tenths_of_percent(value: Fraction | float) -> int:
    """A share in tenths of a percent, half up, on whole numbers: 786 for 1571/2000."""
    numerator, denominator = value.as_integer_ratio()
    return (2000 * numerator + denominator) // (2 * denominator)


def _tenths(tenths: int) -> str:
    return f"{tenths // 10},{tenths % 10}"
