"""What every export is written from: one frozen value, gathered by who knows the requester's rights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from analysis.disclosure import ShownReport
from analysis.wave_report import WaveReport
from form_definitions.model import Questionnaire
from survey_app.disclosure import for_staff
from survey_app.earlier_years import EarlierYear
from survey_app.exports.response_table import CollectedResponse, ResponseTable


@dataclass(frozen=True)
class WaveFacts:
    """One edition as its sheet « Méthode » names it."""

    code: str
    title: str
    survey_title: str
    organisation: str
    state: str
    opens_on: date
    planned_end: date
    last_day: date
    """Before the planned end where the edition was closed early."""
    anonymity: str
    synthetic: bool
    population: int | None = None
    sites: Mapping[str, str] = field(default_factory=dict)
    """Site code → name, in the order of the organisation."""
    languages: Mapping[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    headline_sites: tuple[str, ...] = ()
    headline_modes: tuple[str, ...] = ()
    expected_visits: Mapping[str, int | None] = field(default_factory=dict)
    strata: Mapping[str, int] = field(default_factory=dict)
    """N of each site, where a frozen list gives it."""


@dataclass(frozen=True)
class ReportSource:
    """A wave, its report, and its responses in random order."""

    wave: WaveFacts
    versions: Mapping[str, Questionnaire]
    """Digest → questionnaire; the current one first."""
    report: WaveReport
    responses: Callable[[], Iterable[CollectedResponse]]
    """Counted responses only: neither practice nor set aside. Called anew for each table."""
    set_aside: Mapping[str, int]
    """Reason → number of responses set aside."""
    practice: int
    written_at: datetime
    software: Mapping[str, str]
    """Name → version of what computed the figures."""
    rows: bool = True
    """Whether the requester may read answers person by person."""
    verbatims: bool = False
    """Whether the requester may read free texts."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """What the figures are limited to, in French words; empty = everything counted."""

    refusals: Mapping[tuple[str, date], int] = field(default_factory=dict)
    """(site, day) → how many people declined on a tablet; by whom it was noted is not known."""

    earlier: EarlierYear | None = None
    """The year before, as far as it may be shown."""

    @cached_property
    def shown(self) -> ShownReport:
        """The figures of the report that may leave: the only ones that an export writes."""
        return for_staff(self.report)

    @property
    def refusals_by_site(self) -> Mapping[str, int]:
        """Site code → how many people declined."""
        return {
            site: sum(n for (place, _), n in self.refusals.items() if place == site)
            for site in dict.fromkeys(place for place, _ in self.refusals)
        }

    @property
    def questionnaire(self) -> Questionnaire:
        """The current version."""
        return next(iter(self.versions.values()))

    def headline_responses(self) -> Iterator[CollectedResponse]:
        """The responses that the headline figures count: what is selected by name counts, declared or not."""
        settings, selection = self.report.settings, self.report.selection
        sites = None if selection.site else settings.headline_sites
        modes = None if selection.mode else settings.headline_modes
        for response in self.responses():
            if (sites is None or response.site in sites) and (modes is None or response.mode in modes):
                yield response

    def table(self, *, labels: bool, verbatims: bool | None = None) -> ResponseTable:
        """The table of answers; free texts only where the requester may read them."""
        shown = self.verbatims if verbatims is None else verbatims and self.verbatims
        return ResponseTable(self.versions, self.wave.sites, labels=labels, verbatims=shown)

    def item_label(self, name: str) -> str:
        """The question; a grid row is preceded by the question of its grid."""
        return self._labels.get(name, name)

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        labels: dict[str, str] = {}
        for questionnaire in reversed(tuple(self.versions.values())):
            labels |= questionnaire.questions
        return labels
