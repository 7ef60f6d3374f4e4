"""All about one wave in one frozen value: what pages, workbooks and files read.

Figures are computed when they are first read, from counters that never change: a page that shows one
breakdown does not pay for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.assistance import Assistance
from analysis.axes import CommitmentResult
from analysis.comparisons import Difference, differences
from analysis.counter_places import RESPONSES
from analysis.dispositions import Dispositions
from analysis.figures import Figures
from analysis.notices import method_notes
from analysis.periods import period_of
from analysis.planning import missing_answers
from analysis.publication import (
    PublicationFlag,
    dominance,
    modes_differ,
    outside_sites,
    population_of_more,
    population_outgrown,
    unequal_strata,
)
from analysis.tally import CellLayout
from analysis.wave_settings import Cell, Selection, WaveSettings
from form_definitions.model import Questionnaire

TABLET = "tablet"
__all__ = ["Cell", "HiddenAxis", "Selection", "WaveReport", "WaveSettings", "build_wave_report"]


@dataclass(frozen=True, slots=True)
class HiddenAxis:
    """A site below the threshold for a commitment that, over all sites, is not."""

    site: str
    result: CommitmentResult


@dataclass(frozen=True, eq=False)
class WaveReport:
    """All about one wave, or the selected part of it. See :func:`build_wave_report`."""

    questionnaire: Questionnaire
    settings: WaveSettings
    selection: Selection
    layout: CellLayout
    cells: tuple[Cell, ...]
    """Those of the selection."""
    wave_cells: tuple[Cell, ...]
    """Those of the whole wave: whether a figure may be shown depends on its neighbours."""

    @property
    def questionnaire_digest(self) -> str:
        """Names the exact questionnaire that was asked."""
        return self.layout.questionnaire_digest

    @cached_property
    def fieldwork(self) -> Figures:
        """Everything collected in the selection, headline or not."""
        return self._figures(self.cells)

    @cached_property
    def headline(self) -> Figures:
        """What the wave declared to count, within the selection."""
        return self._figures_of(self.selection, self._headline_cells())

    @property
    def responses(self) -> int:
        """Responses collected in the selection."""
        return self.fieldwork.responses

    @property
    def complete(self) -> int:
        """Responses in the selection that reached the end."""
        return self.fieldwork.complete

    @cached_property
    def on_tablets(self) -> Mapping[str, Dispositions]:
        """Site → what became of the questionnaires begun there: tablets alone tell of unfinished ones."""
        tablets = [cell for cell in self.cells if cell.mode == TABLET]
        return {site: figures.dispositions for site, figures in self._by(lambda c: c.site, tablets).items()}

    @cached_property
    def assistance(self) -> Assistance | None:
        """Who answered on the tablets with help; None for a part of the wave, which others would subtract."""
        if not self.selection.is_everything:
            return None
        return self._figures([cell for cell in self.cells if cell.mode == TABLET]).assistance

    @property
    def commitments(self) -> tuple[CommitmentResult, ...]:
        """The headline result of each commitment."""
        return self.headline.commitments

    @property
    def axes(self) -> tuple[CommitmentResult, ...]:
        """The official improvement axes of the headline."""
        return self.headline.axes

    @cached_property
    def by_site(self) -> Mapping[str, Figures]:
        """Every site, also those the headline leaves out, over the headline's modes."""
        cells = self._grouped(lambda cell: cell.site, self._headline_cells(any_site=True))
        return {site: self._figures_of(replace(self.selection, site=site), of) for site, of in cells.items()}

    @cached_property
    def by_mode(self) -> Mapping[str, Figures]:
        """Every collection mode, also those the headline leaves out, over the headline's sites."""
        return self._by(lambda cell: cell.mode, self._headline_cells(any_mode=True))

    @cached_property
    def by_language(self) -> Mapping[str, Figures]:
        """Every language of the headline."""
        return self._by(lambda cell: cell.language, self._headline_cells())

    @cached_property
    def by_period(self) -> Mapping[str, Figures]:
        """Every month of the headline."""
        return self.by_period_of("month")

    def by_period_of(self, kind: str) -> Mapping[str, Figures]:
        """Every ``month``, ``quarter`` or ``week`` of the headline."""
        return self._by(lambda cell: period_of(cell.day, kind), self._headline_cells())

    @cached_property
    def hidden_axes(self) -> tuple[HiddenAxis, ...]:
        """Sites below the threshold that the headline's total hides."""
        seen = {result.commitment for result in self.axes}
        return tuple(
            HiddenAxis(site, result)
            for site, figures in self.by_site.items()
            for result in figures.axes
            if result.commitment not in seen
        )

    @cached_property
    def mode_differences(self) -> tuple[Difference, ...]:
        """Every pair of collection modes, per commitment, tested: modes are never pooled silently."""
        groups = {mode: figures.commitments for mode, figures in self.by_mode.items()}
        return differences(groups, self.settings.confidence, self.settings.minimum_base)

    @cached_property
    def missing_for_margin(self) -> dict[str, int]:
        """Per site, how many answers are still missing for the wanted margin (± 6 points)."""
        counts = {site: figures.responses for site, figures in self.by_site.items()}
        expected = {
            site: visits
            for site, visits in self.settings.expected_visits.items()
            if self.selection.site in (None, site)
        }
        settings = self.settings
        return missing_answers(
            counts,
            expected,
            population=None if self._population_outgrown() else settings.population,
            margin=settings.margin,
            confidence=settings.confidence,
        )

    @cached_property
    def flags(self) -> tuple[PublicationFlag, ...]:
        """What to know about the headline as a whole."""
        return self.flags_of(self.mode_differences)

    def flags_of(self, differences: Iterable[Difference]) -> tuple[PublicationFlag, ...]:
        """The flags for readers who know of these differences between modes."""
        found = (
            dominance({site: figures.responses for site, figures in self.by_site.items()}),
            modes_differ(differences, self.settings.headline_modes),
            self._population_outgrown(),
            self._population_of_more(),
            self._unequal_strata(),
            self._outside_sites(),
        )
        return tuple(flag for flag in found if flag)

    @property
    def notices(self) -> tuple[str, ...]:
        """The sentences that must stand beside these figures."""
        return method_notes(self.questionnaire.audience, strata=bool(self.settings.strata))

    def _population_outgrown(self) -> PublicationFlag | None:
        population = self.settings.population_of(self.selection) or self.settings.population
        return population_outgrown(_responses(self._headline_cells()), population)

    def _population_of_more(self) -> PublicationFlag | None:
        """The population that was declared is that of more people than the headline counts."""
        if self.settings.population_of(self.selection) is not None:
            return None
        return population_of_more(self.settings.population)

    def _unequal_strata(self) -> PublicationFlag | None:
        """No weights: whoever answered more weighs more, and the reader is told (STATISTICS.md, S5)."""
        if not self.selection.is_everything:
            return None
        found = {site: figures.responses for site, figures in self.by_site.items()}
        return unequal_strata(found, self.settings.strata)

    def _outside_sites(self) -> PublicationFlag | None:
        """Answers without a known site, or from one that the wave did not plan, never leave silently."""
        known, counted = self.settings.sites, self.settings.headline_sites
        if known is None or counted is None or self.selection.site is not None:
            return None
        return outside_sites(_responses(cell for cell in self.cells if cell.site not in {*known, *counted}))

    def _headline_cells(self, *, any_site: bool = False, any_mode: bool = False) -> tuple[Cell, ...]:
        """What is selected by name counts, declared or not."""
        sites = None if any_site or self.selection.site else self.settings.headline_sites
        modes = None if any_mode or self.selection.mode else self.settings.headline_modes
        if sites is None and modes is None:
            return self.cells
        return tuple(
            cell
            for cell in self.cells
            if (sites is None or cell.site in sites) and (modes is None or cell.mode in modes)
        )

    def _by(self, key: Callable[[Cell], str], cells: Sequence[Cell]) -> dict[str, Figures]:
        return {name: self._figures(of) for name, of in self._grouped(key, cells).items()}

    @staticmethod
    def _grouped(key: Callable[[Cell], str], cells: Sequence[Cell]) -> dict[str, list[Cell]]:
        groups: dict[str, list[Cell]] = {}
        for cell in cells:
            groups.setdefault(key(cell), []).append(cell)
        return {name: groups[name] for name in sorted(groups)}

    def _figures_of(self, part: Selection, cells: Sequence[Cell]) -> Figures:
        """With the population that the part comes from, unless more people answered than it counts."""
        population = self.settings.population_of(part)
        holds = population is not None and _responses(cells) <= population
        return self._figures(cells, population if holds else None)

    def _figures(self, cells: Sequence[Cell], population: int | None = None) -> Figures:
        vectors = [cell.vector for cell in cells]
        total = np.add.reduce(vectors, axis=0) if vectors else self.layout.zero()
        return Figures(self.layout, total, self.settings.reading, population)


def _responses(cells: Iterable[Cell]) -> int:
    return sum(int(cell.vector[RESPONSES]) for cell in cells)


def build_wave_report(
    questionnaire: Questionnaire,
    cells: Sequence[Cell],
    settings: WaveSettings,
    *,
    site: str | None = None,
    mode: str | None = None,
    language: str | None = None,
    period: str | None = None,
    layout: CellLayout | None = None,
) -> WaveReport:
    """All about one wave, or about the part of it that is selected.

    Parameters
    ----------
    cells : sequence of Cell
        Vectors of ``CellLayout(questionnaire)``; those of an earlier version go through ``adopt`` first.
    period : str, optional
        ``2026-11``, ``2026-T4`` or ``2026-S48``.
    layout : CellLayout, optional
        That of the questionnaire, from whoever keeps it.

    Raises
    ------
    ValueError
        When a vector is not of the questionnaire's layout.
    """
    layout = layout or CellLayout(questionnaire)
    strangers = {cell.vector.shape for cell in cells} - {(layout.size,)}
    if strangers:
        raise ValueError(f"Cellules de taille {sorted(strangers)}\u202f; {layout.size} compteurs attendus.")
    selection = Selection(site, mode, language, period)
    chosen = tuple(cell for cell in cells if selection.holds(cell))
    return WaveReport(questionnaire, settings, selection, layout, chosen, tuple(cells))
