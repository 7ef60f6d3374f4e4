"""The results that a personal link opens once published: one's own territory beside the whole. Floor 4.

Everybody of a territory reads the same page: nothing on it depends on who opened it. Its figures are those of
the public, without small cells and what would give them away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from flask import render_template

from analysis.axes import CommitmentResult, Result
from analysis.comparisons import Difference
from analysis.disclosure import ShownReport
from analysis.display import NO_BREAK, points
from analysis.wave_report import WaveSettings
from form_definitions import LANGUAGES, SOURCE_LANGUAGE
from survey_app import charts, i18n
from survey_app.clock import today_in_paris
from survey_app.definitions import organisation
from survey_app.earlier_years import Comparison, EarlierYear, compare, earlier_year
from survey_app.exports.words import outward, percent, rate_words, whole
from survey_app.fieldwork import follow_up
from survey_app.i18n import gettext as _
from survey_app.invitation_models import WaveFrame
from survey_app.models import Wave
from survey_app.reports import report_by_territory
from survey_app.strata import frame_of, territories_of
from survey_app.waves import PUBLISHED

ENGLISH: Final = "en"
READERS: Final = "public"
"""Officials read as the public does: nobody under eleven people is shown to them."""


@dataclass(frozen=True)
class Cell:
    """The figure of one theme in one place, in words."""

    place: str
    drawing: str
    rate: str = ""
    base: str = ""
    earlier: str = ""
    change: str = ""
    hidden: str = ""
    """Why the figure is not shown."""


@dataclass(frozen=True)
class Theme:
    """One line of the page: a commitment, with one's own territory first."""

    title: str
    below: bool
    """Whether it is an improvement axis for the whole."""
    cells: tuple[Cell, ...]


def are_open(wave: Wave, frame: WaveFrame, today: date | None = None) -> bool:
    """Whether a link of this wave opens its results: published, and not after the last day."""
    until = frame.results_until
    return wave.state == PUBLISHED and (until is None or (today or today_in_paris()) <= until)


def results_page(wave: Wave, stratum: str, language: str = SOURCE_LANGUAGE) -> str:
    """The page as HTML, for the holder of a link of this stratum; :func:`are_open` was asked before."""
    with i18n.speaking(language):
        return render_template(
            "website/link_results.html",
            language=language,
            direction=LANGUAGES[language].direction,
            organisation=organisation(),
            **_content(wave, stratum),
        )


@dataclass(frozen=True)
class Part:
    """The whole, or one's own territory: this year and the one before."""

    place: str
    results: tuple[CommitmentResult, ...]
    year: EarlierYear | None
    compared: bool = False
    """Whether the differences are tested: of the whole alone, so that one reader sees one family of tests."""


def _content(wave: Wave, stratum: str) -> dict[str, object]:
    report = report_by_territory(wave)
    shown = ShownReport(report, READERS)
    whole_part = Part(
        organisation().department or organisation().name,
        shown.commitments,
        earlier_year(wave, report, READERS),
        True,
    )
    parts = [*_own_part(wave, shown, stratum), whole_part]
    threshold = report.settings.threshold
    frame = charts.frame_of((result for part in parts for result in part.results), threshold)
    drawn = [_cells(part, frame, report.settings, f"p{number}-") for number, part in enumerate(parts)]
    return {
        "wave": wave,
        "themes": [
            Theme(result.title, result.improvement_axis, tuple(cells[result.commitment] for cells in drawn))
            for result in sorted(shown.commitments, key=_worst_first)
        ],
        "own": parts[0].place if len(parts) > 1 else "",
        "scale": frame.scale(),
        "threshold": _numbers(percent(threshold)),
        "cautions": whole_part.year.cautions if whole_part.year else (),
        "answered": _answered(wave),
    }


def _own_part(wave: Wave, shown: ShownReport, stratum: str) -> Iterator[Part]:
    """The territory that the link is of; none where it is all there is."""
    territories = territories_of(_frame(wave))
    place = next((one for one in territories if stratum in one.parts), None)
    figures = shown.by_site.get(place.code) if place and len(territories) > 1 else None
    if place is not None and figures is not None:
        before = earlier_year(wave, report_by_territory(wave, place.code), READERS)
        yield Part(place.title, figures.commitments, before)


def _cells(part: Part, frame: charts.Frame, settings: WaveSettings, prefix: str) -> dict[str, Cell]:
    """Commitment → its figure in one place, this year and the one before."""
    year = part.year if part.year and not part.year.unavailable else None
    compared = compare(part.results, year, settings) if year else {}
    return {
        result.commitment: _cell(
            part, result, compared.get((result.commitment, None)), frame, f"{prefix}{number}"
        )
        for number, result in enumerate(part.results)
    }


def _cell(
    part: Part, result: CommitmentResult, then: Comparison | None, frame: charts.Frame, identifier: str
) -> Cell:
    if result.withheld:
        return Cell(
            part.place, frame.blank(), hidden=_("Masqué\u00a0: trop peu de personnes, ici ou à côté.")
        )
    rate = _numbers(rate_words(result, frame.threshold)) if result.rate is not None else "–"
    before, year = (then.before if then else None), part.year.name if part.year else ""
    return Cell(
        part.place,
        frame.row(result, identifier, title=f"{result.title}, {part.place}", said=_said(result, rate)),
        rate=rate,
        base=whole(result.base),
        earlier=_earlier(before, year, frame.threshold) if before else "",
        change=_change(then.differences) if then and part.compared else "",
    )


def _earlier(before: Result, year: str, threshold: Fraction) -> str:
    if before.rate is None:
        return ""
    return _("{year}\u00a0: {rate}", year=year, rate=_numbers(rate_words(before, threshold)))


def _change(differences: Sequence[Difference]) -> str:
    """How the whole changed; a theme that is judged question by question has no single difference."""
    if len(differences) != 1:
        return ""
    number = _numbers(points(differences[0].difference).partition(NO_BREAK)[0])
    if differences[0].sure:
        return _("{number} points, écart sûr", number=number)
    return _("{number} points, pas assez de réponses pour conclure", number=number)


def _said(result: Result, rate: str) -> str:
    """What the drawing shows, for whoever does not see it."""
    if result.rate is None:
        return _("Aucune réponse exprimée.")
    low, high = outward(result.interval)
    if low is None or high is None:
        return _("Taux {rate}.", rate=rate)
    bounds = {"low": _numbers(percent(low)), "high": _numbers(percent(high))}
    return _("Taux {rate}, intervalle de {low} à {high}.", rate=rate, **bounds)


def _answered(wave: Wave) -> str:
    """How many answered of how many; of the small strata of a small wave nobody says it."""
    line = follow_up(_frame(wave)).lines(READERS)[-1]
    answered = line.counts["complete"]
    if answered is None:
        return ""
    return _(
        "{answered} réponses pour {people} personnes interrogées.",
        answered=whole(answered),
        people=whole(line.invited),
    )


def _numbers(text: str) -> str:
    """The decimal sign of the language of the page."""
    return text.replace(",", ".") if i18n.current_language() == ENGLISH else text


def _frame(wave: Wave) -> WaveFrame:
    frame = frame_of(wave.id)
    if frame is None:
        raise LookupError(f"the wave {wave.id} has no frozen list")
    return frame


def _worst_first(result: Result) -> tuple[bool, float]:
    return result.rate is None, result.rate or 0.0
