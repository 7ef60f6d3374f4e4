"""Small drawings for results: a dot at the rate, its interval as a bar, a line at the threshold. Floor 4.

Everything is placed in percent of the width, so that one drawing fits every screen without a script or a
style attribute; rows of a table share the line at the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from markupsafe import Markup, escape

from analysis.axes import Result
from survey_app.exports.words import outward, percent, rate_words

QUARTER = Fraction(1, 4)
LEAST_GAP = Fraction(1, 10)
LAST_START = Fraction(1, 2)
"""At least the upper half is always drawn, so that a line of good rates does not look like a disaster."""


@dataclass(frozen=True)
class Frame:
    """What the drawings of one table share: where the width starts (it ends at 100 %), and the threshold."""

    threshold: Fraction
    start: Fraction = Fraction(0)

    def row(self, result: Result, identifier: str, *, title: str = "", said: str = "") -> Markup:
        """One row: the rate of a result and its interval against the threshold.

        ``title`` and ``said`` take the place of the French words.
        """
        name = escape(title or result.title or result.commitment)
        words = escape(said or in_words(result, self.threshold))
        line, kind = self._place(self.threshold), result.verdict or "no_verdict"
        return Markup(  # noqa: S704 (numbers, codes of ours, and two escaped texts)
            f'<svg role="img" aria-labelledby="{identifier}-t {identifier}-d" class="{kind}">'
            f'<title id="{identifier}-t">{name}</title><desc id="{identifier}-d">{words}</desc>'
            '<line class="rail-line" x1="0%" x2="100%" y1="50%" y2="50%"/>'
            f'<line class="threshold" x1="{line}" x2="{line}" y1="0%" y2="100%"/>'
            f"{self._interval(result)}{self._point(result)}{self._bounds(result)}</svg>"
        )

    def blank(self) -> Markup:
        """The row of a hidden figure: the threshold alone, so that its line runs through all rows."""
        line = self._place(self.threshold)
        threshold = f'<line class="threshold" x1="{line}" x2="{line}" y1="0%" y2="100%"/>'
        return Markup(f'<svg aria-hidden="true">{threshold}</svg>')  # noqa: S704 (numbers alone)

    def scale(self) -> Markup:
        """The numbers above the rows, or below each where the screen is narrow; the threshold stands out."""
        quarters = (QUARTER * n for n in range(5))
        clear = (s for s in quarters if s >= self.start and abs(s - self.threshold) >= LEAST_GAP)
        shares = sorted({*clear, self.threshold})
        kinds = {self.threshold: ' class="at-threshold"'}
        marks = (
            f'<text x="{self._place(s)}" y="78%" text-anchor="middle"{kinds.get(s, "")}>{percent(s)}</text>'
            for s in shares
        )
        return Markup(f'<svg aria-hidden="true" class="scale">{"".join(marks)}</svg>')  # noqa: S704 (numbers alone)

    def _interval(self, result: Result) -> str:
        if result.low is None or result.high is None:
            return ""
        width = (result.high - result.low) / float(1 - self.start)
        return (
            f'<rect class="interval" x="{self._place(result.low)}" width="{width * 100:.2f}%" y="50%" '
            'height="10" transform="translate(0 -5)" rx="5"/>'
        )

    def _bounds(self, result: Result) -> str:
        """The two ends, over the dot: an interval that is narrower than it stays visible."""
        places = (self._place(bound) for bound in (result.low, result.high) if bound is not None)
        return "".join(
            f'<rect class="bound" x="{x}" y="50%" width="2" height="14" transform="translate(-1 -7)"/>'
            for x in places
        )

    def _point(self, result: Result) -> str:
        if result.rate is None:
            return ""
        return f'<circle class="point" cx="{self._place(result.rate)}" cy="50%" r="4.5"/>'

    def _place(self, share: Fraction | float) -> str:
        return f"{(float(share) - float(self.start)) / float(1 - self.start) * 100:.2f}%"


def frame_of(results: Iterable[Result], threshold: Fraction) -> Frame:
    """The frame in which all these results fit: from 0, 25 or 50 % on."""
    lowest = min(
        (min(r.rate, r.rate if r.low is None else r.low) for r in results if r.rate is not None), default=0
    )
    start = QUARTER * floor(min(Fraction(lowest), threshold) / QUARTER)
    return Frame(threshold, min(start, LAST_START))


def in_words(result: Result, threshold: Fraction) -> str:
    """What the drawing shows, for whoever does not see it."""
    if result.rate is None:
        return "Aucune réponse exprimée."
    low, high = outward(result.interval)
    around = "" if low is None or high is None else f", intervalle de {percent(low)} à {percent(high)}"
    return f"Taux {rate_words(result, threshold)}{around}, seuil {percent(threshold)}."
