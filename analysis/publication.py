"""May this figure be shown? A judgement with its reason; the figure itself is never altered (S6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.axes import Result
from analysis.notices import FLAGS

Readers = Literal["staff", "public"]

FLOORS: Mapping[Readers, int] = {"staff": 5, "public": 11}
"""The fewest respondents (people, not answers) whose figure these readers may see."""

WIDE_INTERVAL = 0.30
DOMINANCE = 0.85
UNEQUAL = 0.10
"""Ten points between the response rates of two strata."""


@dataclass(frozen=True, slots=True)
class PublicationFlag:
    """Something to know before a figure is shown. ``hides`` says that it must not be."""

    code: str
    reason: str
    hides: bool = False


def may_be_shown(respondents: int, readers: Readers) -> bool:
    """Whether a figure of so many people may be shown. Nobody at all has nothing to hide."""
    return respondents == 0 or respondents >= FLOORS[readers]


def judge(result: Result, readers: Readers, minimum_base: int) -> tuple[PublicationFlag, ...]:
    """All that these readers, or who publishes for them, must know about one line of figures."""
    if result.withheld:
        return (PublicationFlag("withheld", result.withheld, hides=True),)
    flags = [PublicationFlag(code, FLAGS[code]) for code in result.flags]
    if not may_be_shown(result.respondents, readers):
        flags.insert(0, _too_small(readers))
    if result.useful_base is not None and 0 < result.useful_base < minimum_base:
        reason = f"Moins de {minimum_base} réponses utiles\u00a0: le taux peut beaucoup changer."
        flags.append(PublicationFlag("small_base", reason))
    if result.low is not None and result.high is not None and result.high - result.low >= WIDE_INTERVAL:
        flags.append(PublicationFlag("wide_interval", "Intervalle de 30 points ou plus."))
    return tuple(flags)


def too_small(readers: Readers) -> str:
    """Why a figure of so few people is hidden."""
    return f"Moins de {FLOORS[readers]} personnes\u00a0: le chiffre pourrait révéler une réponse."


def _too_small(readers: Readers) -> PublicationFlag:
    return PublicationFlag("too_few_respondents", too_small(readers), hides=True)


def dominance(counts: Mapping[str, int]) -> PublicationFlag | None:
    """A flag when one part gives 85 % or more of a total of several parts."""
    total = sum(counts.values())
    if len(counts) < 2 or total == 0:  # noqa: PLR2004 - one part alone is the total
        return None
    part, most = max(counts.items(), key=lambda entry: entry[1])
    if most < DOMINANCE * total:
        return None
    return PublicationFlag("dominance", f"85\u00a0% ou plus des réponses viennent de «\u202f{part}\u202f».")


def unequal_strata(responses: Mapping[str, int], populations: Mapping[str, int]) -> PublicationFlag | None:
    """A flag when some strata answered much more than others: a total without weights leans towards them."""
    shares = [responses.get(stratum, 0) / people for stratum, people in populations.items() if people]
    if not any(responses.values()) or max(shares, default=0) - min(shares, default=0) < UNEQUAL:
        return None
    reason = (
        "Les parts de la population n’ont pas répondu autant\u00a0: l’ensemble, sans pondération, "
        "ressemble plus à celles qui ont le plus répondu. Lisez aussi le détail."
    )
    return PublicationFlag("unequal_strata", reason)
