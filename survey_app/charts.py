"""Small drawings for results: a dot at the rate, its interval as a bar, a line at the threshold. Floor 4.

Everything is placed in percent of the width, so that one drawing fits every screen without a script or a
style attribute; rows of a table share the line at the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from markupsafe import Markup

from analysis.axes import Result
from survey_app.exports.words import outward, percent

_ROW = Markup(
    '<svg role="img" aria-labelledby="{id}-t {id}-d" class="{kind}">'
    '<title id="{id}-t">{title}</title><desc id="{id}-d">{description}</desc>'
    '<line class="rail-line" x1="0%" x2="100%" y1="50%" y2="50%"/>'
    '<line class="threshold" x1="{threshold}" x2="{threshold}" y1="0%" y2="100%"/>'
    "{interval}{point}</svg>"
)
_INTERVAL = Markup(
    '<rect class="interval" x="{x}" width="{width}" y="50%" height="10" transform="translate(0 -5)" rx="5"/>'
)
_POINT = Markup('<circle class="point" cx="{x}" cy="50%" r="6.5"/>')
_SCALE = Markup('<svg aria-hidden="true">{marks}</svg>')
_MARK = Markup('<text x="{x}" y="78%" text-anchor="middle"{kind}>{text}</text>')
QUARTER = Fraction(1, 4)
LEAST_GAP = Fraction(1, 10)
LAST_START = Fraction(1, 2)
"""At least the upper half is always drawn, so that a line of good rates does not look like a disaster."""


@dataclass(frozen=True)
class Frame:
    """What the drawings of one table share: where the width starts (it ends at 100 %), and the threshold."""

    threshold: Fraction
    start: Fraction = Fraction(0)

    def row(self, result: Result, identifier: str) -> Markup:
        """One row: the rate of a result and its interval against the threshold."""
        return _ROW.format(
            id=identifier,
            kind=result.verdict or "no_verdict",
            title=result.title or result.commitment,
            description=in_words(result, self.threshold),
            threshold=self._place(self.threshold),
            interval=self._interval(result),
            point=_POINT.format(x=self._place(result.rate)) if result.rate is not None else "",
        )

    def scale(self) -> Markup:
        """The numbers above the rows; the threshold stands out."""
        quarters = (QUARTER * n for n in range(5))
        clear = (s for s in quarters if s >= self.start and abs(s - self.threshold) >= LEAST_GAP)
        shares = sorted({*clear, self.threshold})
        kinds = {self.threshold: Markup(' class="at-threshold"')}
        marks = (_MARK.format(x=self._place(s), kind=kinds.get(s, ""), text=percent(s)) for s in shares)
        return _SCALE.format(marks=Markup("").join(marks))

    def _interval(self, result: Result) -> Markup:
        if result.low is None or result.high is None:
            return Markup("")
        width = (result.high - result.low) / float(1 - self.start)
        return _INTERVAL.format(x=self._place(result.low), width=f"{width * 100:.2f}%")

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
    return f"Taux {percent(result.rate)}{around}, seuil {percent(threshold)}."
