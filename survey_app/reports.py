"""From the tables to the report of a wave: what the results pages and the exports start from. Floor 4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np
from sqlalchemy import select

from analysis.periods import period_of
from analysis.tally import Cell64
from analysis.wave_report import Cell, WaveReport, WaveSettings, build_wave_report
from form_definitions import Questionnaire
from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.invitation_models import WaveFrame
from survey_app.models import QuestionnaireVersion, TallyCell, Wave, WaveQuestionnaire
from survey_app.questionnaires import questionnaire_of
from survey_app.responses import counts
from survey_app.responses.judge import UNKNOWN_SITE
from survey_app.strata import frame_of, sites_of, strata_of, territories_of
from survey_app.waves import DRAFT, OPEN, WavePlan, plan_of

SMALLEST_STEP: Final = 5
"""Answers by which the figures of an open wave grow, for everybody but the referent."""


def settings_of(wave: Wave) -> WaveSettings:
    """What the wave declared about its figures."""
    plan = plan_of(wave)
    frame = frame_of(wave.id)
    if frame is not None:
        return _settings_of_frame(wave, plan, frame)
    return WaveSettings(
        threshold=plan.threshold,
        confidence=float(plan.confidence),
        method=plan.method,
        minimum_base=plan.minimum_base,
        population=plan.population,
        sites=plan.sites,
        modes=plan.modes,
        headline_modes=plan.headline_modes or None,
        headline_sites=_counted_sites(plan),
        # Every site of the wave, so that one without any answer yet is seen to miss them all.
        expected_visits={site: wave.expected_visits.get(site) or None for site in wave.sites},
    )


def _settings_of_frame(wave: Wave, plan: WavePlan, frame: WaveFrame) -> WaveSettings:
    """N is that of the frozen snapshot, for the whole and for each stratum."""
    strata = {stratum.code: stratum.population for stratum in strata_of(frame)}
    return WaveSettings(
        threshold=plan.threshold,
        confidence=float(plan.confidence),
        method=plan.method,
        minimum_base=plan.minimum_base,
        population=frame.population,
        strata=strata,
        sites=sites_of(wave),
        modes=plan.modes,
        headline_modes=plan.headline_modes or None,
        expected_visits=strata,
    )


def _counted_sites(plan: WavePlan) -> tuple[str, ...] | None:
    """A headline over every site of the wave also counts the answers whose site nobody knows."""
    every_site = {*plan.sites} <= {*plan.headline_sites}
    return (*plan.headline_sites, UNKNOWN_SITE) if every_site else plan.headline_sites or None


def report_of(
    wave: Wave,
    *,
    site: str | None = None,
    mode: str | None = None,
    language: str | None = None,
    period: str | None = None,
    before: date | None = None,
) -> WaveReport:
    """All about a wave, or the part of it that is selected, from its tallies alone.

    Without the days from ``before`` on: see :func:`shown_before`.
    """
    layout = counts.layout_of_wave(wave.id)
    if layout is None:
        raise LookupError(f"the wave {wave.id} has no published questionnaire")
    cells: Sequence[Cell] = [cell for cell in counts.cells(wave.id) if before is None or cell.day < before]
    if not is_week(period):
        cells = by_month(cells)
    return build_wave_report(
        layout.questionnaire,
        cells,
        settings_of(wave),
        site=site,
        mode=mode,
        language=language,
        period=period,
        layout=layout,
    )


def sealed(wave: Wave) -> bool:
    """Whether the answers of a wave by personal link still lie sealed: nobody sees any before the closing."""
    return wave.state in (DRAFT, OPEN) and frame_of(wave.id) is not None


def report_by_territory(wave: Wave, site: str | None = None) -> WaveReport:
    """All about a wave, or one of its territories, in no finer parts: what may leave the house."""
    frame = frame_of(wave.id)
    if frame is None:
        return report_of(wave, site=site)
    territories = territories_of(frame)
    into = {part: territory.code for territory in territories for part in territory.parts}
    whole = report_of(wave)
    settings = replace(
        whole.settings,
        sites=tuple(dict.fromkeys(into.get(one, one) for one in whole.settings.sites or ())),
        strata={territory.code: territory.population for territory in territories},
        expected_visits={},
    )
    cells = [replace(cell, site=into.get(cell.site, cell.site)) for cell in whole.wave_cells]
    return build_wave_report(whole.questionnaire, cells, settings, site=site, layout=whole.layout)


def shown_before(wave: Wave, *, live: bool) -> date | None:
    """The first day whose answers are not shown yet; None = all are: to the referent, and after the closing.

    Who looks before and after one visitor would read that visitor's answers off the difference. So days are
    added when they are over, and only as many at once as bring :data:`SMALLEST_STEP` answers. Sealed
    answers are shown to nobody.
    """
    if sealed(wave):
        return wave.opens_on - timedelta(days=7)
    if live or wave.state != OPEN:
        return None
    arrived: Counter[date] = Counter()
    for cell in counts.cells(wave.id):
        arrived[cell.day] += int(cell.vector[0])
    first, more = wave.opens_on, 0
    for day in sorted(day for day in arrived if day < today_in_paris()):
        more += arrived[day]
        if more >= SMALLEST_STEP:
            first, more = day + timedelta(days=1), 0
    return first


def is_week(period: str | None) -> bool:
    """Whether a period is finer than a month (« 2026-S48 »)."""
    return period is not None and "-S" in period


def periods_of(wave: Wave, *kinds: str) -> list[str]:
    """The periods of these kinds that the wave has begun, kind by kind, each as time goes."""
    length = (min(wave.closes_on, today_in_paris()) - wave.opens_on).days + 1
    days = [wave.opens_on + timedelta(days=number) for number in range(length)]
    return list(dict.fromkeys(period_of(day, kind) for kind in kinds for day in days))


def by_month(cells: Sequence[Cell]) -> list[Cell]:
    """The same counts in one cell per site, mode, language and month: some thirty instead of a thousand.

    Every breakdown of a report adds cells up again; those of days are only needed for weeks.
    """
    months: dict[tuple[str, str, str, date], list[Cell64]] = {}
    for cell in cells:
        key = (cell.site, cell.mode, cell.language, cell.day.replace(day=1))
        months.setdefault(key, []).append(cell.vector)
    return [Cell(*key, np.add.reduce(vectors)) for key, vectors in months.items()]


def counted_versions(wave: Wave) -> dict[str, Questionnaire]:
    """Those of the versions of a wave whose answers its figures count; the current one without any answer."""
    counted = set(db.session.scalars(select(TallyCell.digest).where(TallyCell.wave_id == wave.id).distinct()))
    found = {digest: asked for digest, asked in versions_of(wave).items() if digest in counted}
    return found or {wave.questionnaire_digest: questionnaire_of(wave.questionnaire_version)}


def versions_of(wave: Wave) -> dict[str, Questionnaire]:
    """Digest → questionnaire of everything the wave was asked with, the current one first."""
    query = (
        select(QuestionnaireVersion)
        .join(WaveQuestionnaire, WaveQuestionnaire.digest == QuestionnaireVersion.digest)
        .where(WaveQuestionnaire.wave_id == wave.id)
        .order_by(WaveQuestionnaire.since.desc())
    )
    found = {version.digest: questionnaire_of(version) for version in db.session.scalars(query)}
    current = {wave.questionnaire_digest: questionnaire_of(wave.questionnaire_version)}
    return current | found
