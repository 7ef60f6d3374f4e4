"""What the letter says: the published figures in words. Its figures are those of the public, no small one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from analysis.axes import CommitmentResult, Result
from analysis.disclosure import ShownReport
from analysis.display import NOTHING, bounds, counted, points
from analysis.publication import FLOORS
from survey_app.clock import day_in_paris, today_in_paris
from survey_app.definitions import organisation
from survey_app.earlier_years import Comparison, compare, earlier_year
from survey_app.exports.words import HIDDEN, day_words, percent, rate_words, whole
from survey_app.fieldwork import Line, follow_up
from survey_app.link_results import READERS
from survey_app.models import Wave
from survey_app.reports import report_by_territory
from survey_app.strata import Stratum, frame_of, territories_of
from survey_app.waves import PUBLISHED

USUAL_OCCASION = "Nous vous avons demandé votre avis sur les services de l’État, {period}."
OCCASIONS = {
    "alerte": (
        "Une alerte de la préfecture a concerné votre collectivité. "
        "Nous vous avons demandé, {period}, si elle vous avait été utile."
    )
}
"""Questionnaire → why it was asked, where that is not the yearly survey."""
TO_WRITE = "[À compléter par la direction\u00a0: ce que nous allons faire, par qui, pour quand.]"


class LetterError(ValueError):
    """There is no letter for this wave (yet); the message (French) says why."""


@dataclass(frozen=True)
class Theme:
    """One commitment: its figures in words."""

    title: str
    rate: str
    base: str
    interval: str
    earlier: str
    change: str
    below: bool
    by_place: tuple[str, ...] = ()
    """The rate in each territory, in the order of ``places``."""


@dataclass(frozen=True)
class Place:
    """One territory."""

    title: str
    population: str


@dataclass(frozen=True)
class LetterContent:
    """All placeholders of the letter: the names of the fields are those of the DOCX template."""

    organisation: str
    written_on: str
    survey: str
    edition: str
    occasion: str
    """Why and when they were asked: one or two sentences."""
    answered: str
    response_rate: str
    threshold: str
    confidence: str
    year: str
    """The year that is compared with; empty without one."""
    themes: tuple[Theme, ...]
    axes: tuple[Theme, ...]
    places: tuple[Place, ...]
    population: str
    not_measured: str
    online: str
    """What the personal link shows."""
    contact: str
    signature: str
    signature_title: str
    invented: bool
    to_write: str = TO_WRITE

    def as_mapping(self) -> dict[str, Any]:
        """For the templates."""
        return asdict(self)


def letter_content(wave: Wave, today: date | None = None) -> LetterContent:
    """What the letter of a published wave by personal link says. Raises `LetterError` for any other wave."""
    frame = frame_of(wave.id)
    if frame is None:
        raise LetterError("Cette édition ne se fait pas par lien personnel\u00a0: elle n’a pas de lettre.")
    if wave.state != PUBLISHED:
        raise LetterError(
            "Publiez d’abord les résultats\u00a0: la lettre n’annonce que des chiffres officiels."
        )
    report = report_by_territory(wave)
    shown, year = ShownReport(report, READERS), earlier_year(wave, report, READERS)
    compared = {} if year is None or year.unavailable else compare(shown.commitments, year, report.settings)
    results = sorted(shown.commitments, key=_worst_first)
    territories = _territories(wave)
    themes = tuple(
        replace(
            _theme(result, compared.get((result.commitment, None)), shown.report.settings.threshold),
            by_place=_by_place(shown, territories, result.commitment),
        )
        for result in results
    )
    line = follow_up(frame).lines(READERS)[-1]
    ours = organisation()
    return LetterContent(
        organisation=ours.name,
        written_on=day_words(today or today_in_paris()),
        survey=wave.questionnaire_version.title,
        edition=wave.title,
        occasion=_occasion(wave),
        answered=f"{_answered(report.headline.responses)} pour {whole(line.invited)} destinataires",
        response_rate=_response_rate(line),
        threshold=percent(report.settings.threshold),
        confidence=percent(report.settings.confidence),
        year=year.name if year is not None and compared else "",
        themes=themes,
        axes=tuple(theme for theme in themes if theme.below),
        places=tuple(Place(one.title, whole(one.population)) for one in territories),
        population=f"La population est connue\u00a0: {whole(frame.population)} destinataires.",
        not_measured="L’intervalle ne dit rien de l’avis de celles et ceux qui n’ont pas répondu.",
        online=(
            "Votre lien personnel montre ces résultats en détail"
            f"{', avec ceux de votre arrondissement' if territories else ''}."
        ),
        contact=" · ".join(filter(None, (ours.director.phone, ours.contact.email))) or "[Téléphone]",
        signature=ours.director.name or "[Nom]",
        signature_title=ours.director.title or "[Fonction]",
        invented=wave.synthetic,
    )


def _worst_first(result: CommitmentResult) -> tuple[bool, float]:
    return result.rate is None, result.rate or 0.0


def _theme(result: CommitmentResult, then: Comparison | None, threshold: Fraction) -> Theme:
    if result.withheld:
        return Theme(result.title, HIDDEN, NOTHING, NOTHING, NOTHING, "", below=False)
    before = then.before if then else None
    one = then.differences[0] if then and len(then.differences) == 1 else None
    return Theme(
        title=result.title,
        rate=_rate(result, threshold),
        base=whole(result.base),
        interval=bounds(result.interval),
        earlier=_rate(before, threshold),
        change="" if one is None else f"{points(one.difference)}{', écart sûr' if one.sure else ''}",
        below=result.improvement_axis,
    )


def _territories(wave: Wave) -> tuple[Stratum, ...]:
    """None where there is a single one: it is the whole."""
    frame = frame_of(wave.id)
    found = territories_of(frame) if frame else ()
    return found if len(found) > 1 else ()


def _by_place(shown: ShownReport, territories: Iterable[Stratum], commitment: str) -> tuple[str, ...]:
    threshold = shown.report.settings.threshold
    figures = (shown.by_site.get(territory.code) for territory in territories)
    return tuple(
        _rate(
            next((r for r in one.commitments if r.commitment == commitment), None) if one else None, threshold
        )
        for one in figures
    )


def _rate(result: Result | None, threshold: Fraction) -> str:
    if result is None or (result.rate is None and not result.withheld):
        return NOTHING
    return HIDDEN if result.withheld else rate_words(result, threshold)


def _occasion(wave: Wave) -> str:
    words = OCCASIONS.get(wave.questionnaire_version.slug, USUAL_OCCASION)
    return words.format(period=f"du {day_words(wave.opens_on)} au {day_words(_last_day(wave))}")


def _last_day(wave: Wave) -> date:
    """The day it really ended: an edition may be closed before its last day."""
    closed = wave.closed_at
    return wave.closes_on if closed is None else min(wave.closes_on, day_in_paris(closed))


def _answered(number: int) -> str:
    """The published number: the follow-up may hide its own, beside refusals that are few."""
    few = FLOORS[READERS]
    return f"moins de {few} réponses" if number < few else counted(number, "réponse", "réponses")


def _response_rate(line: Line) -> str:
    rate = line.rate("response_rate_1")
    return "" if rate is None else f"taux de réponse\u00a0: {percent(rate)}"
