"""The words and shapes that every export uses for the same thing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from analysis import display, notices
from analysis.axes import Result
from analysis.comparisons import Difference
from analysis.notices import FLAGS
from analysis.rates import Interval
from form_definitions.model import CollectionMode

MODE_LABELS: Mapping[CollectionMode, str] = {
    "tablet": "Tablette",
    "website": "Site internet",
    "personal_link": "Lien personnel",
    "paper": "Papier",
}

VERDICT_LABELS: Mapping[str, str] = {
    "below": "▼ sous {threshold}",
    "not_distinguishable": "◆ non distinguable de {threshold}",
    "above": "▲ au-dessus de {threshold}",
    "too_few": "○ trop peu de réponses",
}
HIDDEN = "masqué"
NO_VERDICT = "– aucune réponse"

STATE_LABELS: Mapping[str, str] = {
    "draft": "en préparation",
    "open": "en cours",
    "closed": "close",
    "sealed": "scellée",
    "published": "publiée",
}

METHOD_LABELS: Mapping[str, str] = {
    "wilson": "Wilson",
    "clopper_pearson": "Clopper et Pearson (exact)",
    "jeffreys": "Jeffreys",
}
"""The methods that a wave may declare."""

ABSENCE_LABELS: Mapping[str, str] = {
    "not_applicable": "Non concerné",
    "no_opinion": "Sans opinion",
    "unanswered": "Sans réponse",
    "off_path": "Non posée",
}

ASSISTANCE_LABELS: Mapping[str, str] = {
    "assisted": "avec l’aide d’un agent",
    "alone": "sans aide",
    "unsaid": "sans indication de l’agent",
}
"""How the responses of the tablets were given."""


def verdict_label(verdict: str | None, threshold: str) -> str:
    """Shape and words, so that a verdict is never told by its colour alone."""
    if verdict is None:
        return NO_VERDICT
    return VERDICT_LABELS[verdict].format(threshold=threshold)


def difference_label(difference: Difference) -> str:
    """« +9,0 points, sûr » or « +2,1 points, pas assez de réponses pour le dire ».

    An interval without 0 is no proof among many comparisons: the label then says that it is one of many.
    """
    said = "sûr" if difference.sure else "pas assez de réponses pour le dire"
    if difference.one_of_many:
        said = "sûr pris seul, pas parmi toutes ces comparaisons"
    return f"{display.points(difference.difference)}, {said}"


def mode_label(mode: str) -> str:
    """« Tablette » for ``tablet``; an unknown mode keeps its code."""
    return next((label for code, label in MODE_LABELS.items() if code == mode), mode)


def method_label(method: str | None) -> str | None:
    """The method of an interval with what was assumed; None where none was computed."""
    return None if method is None else notices.method_label(method)


def flag_words(flags: Iterable[str]) -> str:
    """The flags of a figure in sentences."""
    return " ".join(FLAGS[flag] for flag in flags)


def percent(share: Fraction | float) -> str:
    """``75 %`` or ``78,5 %``: one decimal, half up, none where it is zero."""
    tenths = math.floor(Fraction(share) * 1000 + Fraction(1, 2))
    ones, tenth = divmod(tenths, 10)
    return f"{ones},{tenth}\u202f%" if tenth else f"{ones}\u202f%"


def risk_words(confidence: float) -> str:
    """``5 %`` for a confidence of 0.95: the risk that a whole family of comparisons runs together."""
    return percent(1 - Fraction(str(confidence)))


def rate_words(result: Result, threshold: Fraction) -> str:
    """``78,5 %``; ``< 75 %`` where rounding would lift a rate to the threshold that it does not reach."""
    return display.rate(result.favourable, result.base, threshold, space="\u202f")


whole = display.whole
counted = display.counted

_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
)


def day_words(day: date) -> str:
    """``1er octobre 2026``."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"


def outward(interval: Interval) -> tuple[float | None, float | None]:
    """Bounds to one decimal of a percentage, rounded away from each other.

    So a bound printed « 75,0 % » is never beyond 75 % in truth. Whole people of a known population are
    rounded from their exact share, never from the floating-point number nearest to it.
    """
    low, high = interval.exact_low, interval.exact_high
    return (
        None if low is None else math.floor(low * 1000) / 1000,
        None if high is None else math.ceil(high * 1000) / 1000,
    )
