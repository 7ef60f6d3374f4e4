"""May this figure be shown? A judgement with its reason; the figure itself is never altered (S6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.axes import Result
from analysis.comparisons import Difference
from analysis.display import counted, whole
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


def modes_differ(
    differences: Iterable[Difference], headline: Collection[str] | None
) -> PublicationFlag | None:
    """A flag when two modes of the headline surely differ; None as the headline: every mode counts."""
    if not any(
        difference.sure and (headline is None or {difference.first, difference.second} <= set(headline))
        for difference in differences
    ):
        return None
    reason = (
        "Les modes de recueil ne donnent pas le même taux pour certains engagements\u00a0: "
        "le total dépend de leur part."
    )
    return PublicationFlag("modes_differ", reason)


def population_outgrown(responses: int, population: int | None) -> PublicationFlag | None:
    """A flag when more people answered than were said to be there."""
    if population is None or responses <= population:
        return None
    reason = (
        f"{counted(responses, 'réponse', 'réponses')} pour une population déclarée "
        f"de {whole(population)}\u00a0: "
        "la correction n’est pas appliquée. Vérifiez la population ou les doublons."
    )
    return PublicationFlag("population_outgrown", reason)


def population_of_more(population: int | None) -> PublicationFlag | None:
    """A flag when a population was declared, and figures count a part of it that nobody numbered."""
    if population is None:
        return None
    reason = (
        f"La population déclarée ({whole(population)}) est celle de toute l’édition\u00a0: "
        "ces chiffres n’en comptent qu’une partie, sans correction de population."
    )
    return PublicationFlag("population_of_more", reason)


def outside_sites(responses: int) -> PublicationFlag | None:
    """A flag when so many responses came from a site that nobody planned."""
    if not responses:
        return None
    reason = f"Réponses d’un site inconnu ou non prévu, hors du chiffre principal\u00a0: {whole(responses)}."
    return PublicationFlag("outside_sites", reason)
