"""From the database to a `ReportSource`: one wave, or a part of it, for a requester with these rights."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.periods import PERIOD_KINDS, lies_in
from analysis.wave_report import Selection, WaveReport
from form_definitions import LANGUAGES, Organisation
from survey_app import definitions
from survey_app.database import db
from survey_app.earlier_years import earlier_year
from survey_app.exports.source import ReportSource, WaveFacts
from survey_app.exports.words import mode_label
from survey_app.models import Response, Wave, WaveQuestionnaire
from survey_app.reports import periods_of, report_of, shown_before, versions_of
from survey_app.responses import counting, counts, refusals
from survey_app.responses.flags import FLAGS
from survey_app.responses.set_aside import REASONS
from survey_app.strata import names_of, sites_of

COMPUTED_WITH = ("survey-app", "numpy", "scipy", "xlsxwriter")
OFFSETS = (*range(2, 9), *range(10, 14), *range(16, 19), *range(21, 24), *range(25, 31))
"""A record id is a random UUID: from any of these characters on it sorts at random, unlike itself."""


class ReportError(ValueError):
    """There is nothing to report on; the message (French) says why."""


@dataclass(frozen=True)
class Rights:
    """What the requester may read besides totals."""

    rows: bool = False
    verbatims: bool = False
    live: bool = True
    """Also the answers of an open wave that are too few yet to be shown to everybody."""


def gather(wave_id: str, rights: Rights, selection: Selection | None = None) -> ReportSource:
    """All that the exports of this wave are written from.

    Raises `ReportError` for an unknown wave, or a part that it does not have.
    """
    wave = db.session.get(Wave, wave_id)
    if wave is None:
        raise ReportError(f"Aucune édition «\u202f{wave_id}\u202f».")
    selected = selection or Selection()
    unknown = list(_unknown_parts(wave, selected))
    if unknown:
        raise ReportError(" ".join(unknown))
    before = shown_before(wave, live=rights.live)
    report = report_of(wave, **asdict(selected), before=before)
    fieldwork = counts.fieldwork(wave.id)
    facts = wave_facts(wave, definitions.organisation(), report)
    return ReportSource(
        wave=facts,
        versions=versions_of(wave),
        report=report,
        responses=partial(shuffled_responses, wave.id, selected, before),
        set_aside=_in_words(fieldwork.not_counted),
        practice=fieldwork.practice,
        written_at=datetime.now(tz=UTC),
        software={name: version(name) for name in COMPUTED_WITH},
        rows=rights.rows,
        verbatims=rights.verbatims,
        filters=_filters(selected, facts.sites, before),
        refusals=refusals.of_wave(db.session(), wave, site=selected.site, period=selected.period),
        earlier=earlier_year(wave, report),
    )


def _unknown_parts(wave: Wave, selection: Selection) -> Iterator[str]:
    """What is selected that this wave does not have, each with what it has: its figures would be empty."""
    parts = (
        ("Site inconnu", selection.site, sites_of(wave), "Ses sites"),
        ("Mode de recueil inconnu", selection.mode, wave.modes, "Ses modes"),
        ("Langue inconnue", selection.language, wave.languages, "Ses langues"),
        ("Période inconnue", selection.period, periods_of(wave, *PERIOD_KINDS), "Ses périodes"),
    )
    for what, wanted, known, heading in parts:
        if wanted is not None and wanted not in known:
            listed = ", ".join(known) or "aucune encore"
            yield f"{what} dans cette édition\u00a0: «\u202f{wanted[:40]}\u202f». {heading}\u00a0: {listed}."


def wave_facts(wave: Wave, organisation: Organisation, report: WaveReport) -> WaveFacts:
    """The wave in words."""
    sites = dict.fromkeys((*sites_of(wave), *report.by_site))
    strata = names_of(wave.id)
    return WaveFacts(
        code=wave.id,
        title=wave.title,
        survey_title=wave.survey.title,
        organisation=organisation.name,
        state=wave.state,
        opens_on=wave.opens_on,
        planned_end=wave.closes_on,
        last_day=wave.last_day,
        anonymity=wave.anonymity,
        synthetic=wave.synthetic,
        population=report.settings.population,
        strata=report.settings.strata,
        sites={site: strata.get(site) or organisation.site_name(site) or "Site inconnu" for site in sites},
        languages={code: LANGUAGES[code].own_name for code in wave.languages if code in LANGUAGES},
        modes=tuple(wave.modes),
        headline_sites=tuple(wave.headline_sites),
        headline_modes=tuple(wave.headline_modes),
        expected_visits=wave.expected_visits,
    )


def shuffled_responses(wave_id: str, selection: Selection, before: date | None = None) -> Iterator[Any]:
    """The counted responses of the selection, row by row, in an order that says nothing."""
    offset = secrets.choice(OFFSETS)
    order = (sa.func.substr(Response.record_id, offset), Response.record_id)
    query = sa.select(*Response.__table__.columns).where(Response.wave_id == wave_id, *_where(selection))
    if before is not None:
        query = query.where(Response.answered_on < before)
    with db.engine.connect() as connection:
        decisions = counting.latest_decisions(connection, wave_id)
        known = _known_digests(connection, wave_id)
        for row in connection.execute(query.order_by(*order).execution_options(yield_per=1000)):
            counted = counting.is_counted(row, decisions.get((row.record_id, row.revision)))
            if counted and row.questionnaire_digest in known and _in_period(row, selection):
                yield row


def _known_digests(connection: Connection, wave_id: str) -> frozenset[str]:
    """Counted responses name a version of their wave; this holds even if somebody counted another one."""
    wave = sa.select(Wave.questionnaire_digest).where(Wave.id == wave_id)
    used = sa.select(WaveQuestionnaire.digest).where(WaveQuestionnaire.wave_id == wave_id)
    return frozenset((*connection.scalars(wave), *connection.scalars(used)))


def _where(selection: Selection) -> Iterator[sa.ColumnElement[bool]]:
    for name in ("site", "mode", "language"):
        wanted = getattr(selection, name)
        if wanted is not None:
            yield getattr(Response, name) == wanted


def _in_period(row: Any, selection: Selection) -> bool:
    return selection.period is None or lies_in(row.answered_on, selection.period)


def _in_words(reasons: Mapping[str, int]) -> dict[str, int]:
    words: dict[str, int] = {}
    for code, number in reasons.items():
        label = REASONS.get(code) or (FLAGS[code].meaning if code in FLAGS else code)
        words[label] = words.get(label, 0) + number
    return words


def _language(code: str) -> str:
    return LANGUAGES[code].own_name if code in LANGUAGES else "Langue inconnue"


def _filters(selection: Selection, sites: Mapping[str, str], before: date | None) -> dict[str, str]:
    found = {
        "site": selection.site and sites.get(selection.site, selection.site),
        "mode de recueil": selection.mode and mode_label(selection.mode),
        "langue": selection.language and _language(selection.language),
        "période": selection.period,
        "édition en cours": before and f"réponses données avant le {before:%d/%m/%Y}",
    }
    return {name: value for name, value in found.items() if value}
