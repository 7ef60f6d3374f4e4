"""From the tables to the report of a wave: what the results pages and the exports start from. Floor 4."""

from __future__ import annotations

from sqlalchemy import select

from analysis.wave_report import WaveReport, WaveSettings, build_wave_report
from form_definitions import Questionnaire
from survey_app.database import db
from survey_app.models import QuestionnaireVersion, Wave, WaveQuestionnaire
from survey_app.questionnaires import questionnaire_of
from survey_app.responses import counts
from survey_app.waves import plan_of


def settings_of(wave: Wave) -> WaveSettings:
    """What the wave declared about its figures."""
    plan = plan_of(wave)
    return WaveSettings(
        threshold=plan.threshold,
        confidence=float(plan.confidence),
        method=plan.method,
        minimum_base=plan.minimum_base,
        population=plan.population,
        headline_modes=plan.headline_modes or None,
        headline_sites=plan.headline_sites or None,
        # Every site of the wave, so that one without any answer yet is seen to miss them all.
        expected_visits={site: wave.expected_visits.get(site) or None for site in wave.sites},
    )


def report_of(
    wave: Wave,
    *,
    site: str | None = None,
    mode: str | None = None,
    language: str | None = None,
    period: str | None = None,
) -> WaveReport:
    """All about a wave, or the part of it that is selected, from its tallies alone."""
    questionnaire = questionnaire_of(wave.questionnaire_version)
    cells = counts.cells(wave.id)
    return build_wave_report(
        questionnaire, cells, settings_of(wave), site=site, mode=mode, language=language, period=period
    )


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
