"""Small drawings for results: a dot at the rate, its interval as a bar, a line at the threshold. Floor 4.

Everything is placed in percent of the width, so that one drawing fits every screen without a script or a
style attribute; rows of a table share the line at the threshold.
"""

from __future__ import annotations

from fractions import Fraction

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
QUARTERS = (Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1))


def rate_row(result: Result, threshold: Fraction, identifier: str) -> Markup:
    """One row: the rate of a result and its interval against the threshold."""
    return _ROW.format(
        id=identifier,
        kind=result.verdict or "no_verdict",
        title=result.title or result.commitment,
        description=in_words(result, threshold),
        threshold=_place(threshold),
        interval=_interval(result),
        point=_POINT.format(x=_place(result.rate)) if result.rate is not None else "",
    )


def scale(threshold: Fraction) -> Markup:
    """The numbers above the rows; the threshold stands out."""
    shares = sorted({*(q for q in QUARTERS if abs(q - threshold) >= Fraction(1, 10)), threshold})
    kinds = {threshold: Markup(' class="at-threshold"')}
    marks = (_MARK.format(x=_place(s), kind=kinds.get(s, ""), text=percent(s)) for s in shares)
    return _SCALE.format(marks=Markup("").join(marks))


def in_words(result: Result, threshold: Fraction) -> str:
    """What the drawing shows, for whoever does not see it."""
    if result.rate is None:
        return "Aucune réponse exprimée."
    low, high = outward(result.low, result.high)
    around = (
        f", intervalle de {percent(low)} à {percent(high)}" if low is not None and high is not None else ""
    )
    return f"Taux {percent(result.rate)}{around}, seuil {percent(threshold)}."


def _interval(result: Result) -> Markup:
    if result.low is None or result.high is None:
        return Markup("")
    return _INTERVAL.format(x=_place(result.low), width=_place(result.high - result.low))


def _place(share: Fraction | float) -> str:
    return f"{float(share) * 100:.2f}%"
