"""« Résultats »: the page of a wave, one engagement, the free texts. Floor 5; figures from tallies alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from analysis.axes import CommitmentResult, ItemResult, Result
from analysis.comparisons import Difference
from analysis.disclosure import ShownFigures, ShownReport
from analysis.notices import RULES
from analysis.periods import period_of
from analysis.publication import judge
from analysis.wave_report import WaveReport, WaveSettings
from form_definitions import QUESTION_TYPES, Item, Questionnaire
from survey_app import access, charts, waves
from survey_app.access import REFERENT, RESULT_READERS
from survey_app.definitions import organisation
from survey_app.disclosure import for_staff
from survey_app.exports.words import METHOD_LABELS, mode_label, outward, percent, rate_words, risk_words
from survey_app.models import Wave
from survey_app.questionnaires import questionnaire_of
from survey_app.reports import is_week, report_of
from survey_app.responses import counts
from survey_app.staff import years
from survey_app.staff.pages import (
    PARIS,
    language_name,
    month_name,
    one_decimal,
    period_name,
    site_name,
    wave_or_404,
)

blueprint = Blueprint("staff_results", __name__, url_prefix="/gestion/resultats")
VERBATIMS_PER_PAGE: Final = 50
LAST_PAGE: Final = 10_000
FILTERS: Final = {"site": "site", "mode": "mode", "langue": "language", "periode": "period"}
"""Name in the address → name in the report."""


@dataclass(frozen=True)
class Row:
    """One line of the table: the figures in words, and the drawing."""

    result: Result
    drawing: str
    rate: str
    interval: str
    flags: tuple[str, ...]
    hidden: bool


@blueprint.get("")
@access.roles(*RESULT_READERS)
def choose() -> ResponseReturnValue:
    """Straight to the one open wave, or the list of those that have opened."""
    known = [wave for wave in waves.waves() if wave.state != waves.DRAFT]
    running = [wave for wave in known if wave.state == waves.OPEN]
    if len(running) == 1 or len(known) == 1:
        return redirect(url_for("staff_results.show", wave_id=(running or known)[0].id))
    return render_template("staff/results_choice.html", waves=known)


@blueprint.get("/<wave_id>")
@access.roles(*RESULT_READERS)
def show(wave_id: str) -> ResponseReturnValue:
    """Fieldwork, engagements worst first, axes, hidden axes, missing answers, modes side by side."""
    wave = wave_or_404(wave_id)
    report = report_of(wave, **selection())
    shown = for_staff(report)
    ranked = sorted(shown.commitments, key=worst_first)
    return render_template(
        "staff/results.html",
        wave=wave,
        report=report,
        shown_flags=shown.flags,
        axes=sorted(shown.axes, key=worst_first),
        services=_services(report.questionnaire),
        engagements=table(((r.title or r.commitment, r) for r in ranked), report.settings, "c"),
        year=years.column(wave, shown),
        hidden=[(a.site, table([("", a.result)], report.settings, "").rows[0][1]) for a in shown.hidden_axes],
        missing={} if _is_part() else {site: n for site, n in report.missing_for_margin.items() if n},
        differences=shown.mode_differences,
        sure=[difference for difference in shown.mode_differences if difference.sure],
        say=partial(say_difference, questions=report.questionnaire.questions),
        titles={c.code: c.title for c in report.questionnaire.commitments},
        **_around(wave, report),
    )


def _is_part() -> bool:
    """Whether only some modes or languages are shown: what misses for a margin is a matter of whole sites."""
    return bool(request.args.get("mode") or request.args.get("langue"))


def _services(questionnaire: Questionnaire) -> dict[str, str]:
    """Engagement → the service that answers for it, where one is known."""
    names = {service.code: service.name for service in organisation().services}
    named = [(c.code, c.service) for c in questionnaire.commitments]
    return {code: names.get(service, service) for code, service in named if service}


def worst_first(result: Result) -> tuple[bool, float]:
    """Lowest rate first; those without answers at the end."""
    return result.rate is None, result.rate or 0.0


def selection() -> dict[str, str | None]:
    """The filters of the address; an empty one means all."""
    return {name: request.args.get(asked) or None for asked, name in FILTERS.items()}


@dataclass(frozen=True)
class Table:
    """Named rows that share one drawing frame."""

    scale: str
    rows: tuple[tuple[str, Row], ...]


def table(named: Iterable[tuple[str, Result]], settings: WaveSettings, prefix: str) -> Table:
    """A table of figures; `prefix` keeps the ids of its drawings apart from those of the others."""
    pairs = tuple(named)
    frame = charts.frame_of((result for _, result in pairs), settings.threshold)
    rows = (row(result, frame, settings.minimum_base, f"{prefix}{n}") for n, (_, result) in enumerate(pairs))
    return Table(frame.scale(), tuple(zip((name for name, _ in pairs), rows, strict=True)))


def row(result: Result, frame: charts.Frame, minimum_base: int, identifier: str) -> Row:
    """A result ready to be shown to staff; under the floor it keeps its place and loses its figures."""
    judged = judge(result, "staff", minimum_base)
    hidden = any(flag.hides for flag in judged)
    return Row(
        result=result,
        drawing=frame.blank() if hidden else frame.row(result, identifier),
        rate="–" if result.rate is None or hidden else rate_words(result, frame.threshold),
        interval="–" if hidden else interval_words(result),
        flags=tuple(flag.reason for flag in judged),
        hidden=hidden,
    )


def interval_words(result: Result) -> str:
    """« 73,2 – 83,0 % », rounded outward."""
    low, high = outward(result.interval)
    if low is None or high is None:
        return "–"
    return f"{one_decimal(low)[:-2]} – {one_decimal(high)}"


def say_difference(difference: Difference, questions: Mapping[str, str]) -> str:
    """A sure difference between two modes; that of a single question names it."""
    first, second = mode_label(difference.first), mode_label(difference.second)
    higher, lower = (first, second) if difference.difference > 0 else (second, first)
    points = one_decimal(abs(difference.difference)).replace("%", "points")
    asked = f"«\u202f{questions[difference.item]}\u202f», " if difference.item else ""
    return f"{asked}«\u202f{higher}\u202f» dépasse «\u202f{lower}\u202f» de {points}, c’est sûr."


def _around(wave: Wave, report: WaveReport) -> dict[str, Any]:
    """What both result pages show around their tables."""
    filters = _filters(wave)
    return {
        "threshold": percent(report.settings.threshold),
        "level": percent(report.settings.confidence),
        "risk": risk_words(report.settings.confidence),
        "filters": filters,
        "wrong": _unknown_filters(filters),
        "chosen": {asked: request.args.get(asked, "") for asked in FILTERS},
        "methods": METHOD_LABELS,
        "rules": RULES,
    }


def _unknown_filters(filters: list[tuple[str, str, list[tuple[str, str]]]]) -> str:
    """What the address asks for that this wave does not have."""
    unknown = [
        f"{label} «\u202f{value[:40]}\u202f»"
        for name, label, options in filters
        if (value := request.args.get(name, "")) not in dict(options)
        if not (name == "periode" and is_week(value))
    ]
    return f"Filtre inconnu dans cette édition\u00a0: {', '.join(unknown)}." if unknown else ""


def _filters(wave: Wave) -> list[tuple[str, str, list[tuple[str, str]]]]:
    periods = [
        period
        for kind in ("month", "quarter")
        for period in dict.fromkeys(period_of(day, kind) for day in _days(wave))
    ]
    return [
        ("site", "Site", [("", "Tous"), *((s, site_name(s)) for s in wave.sites)]),
        ("mode", "Mode", [("", "Tous"), *((m, mode_label(m)) for m in wave.modes)]),
        ("langue", "Langue", [("", "Toutes"), *((c, language_name(c)) for c in wave.languages)]),
        (
            "periode",
            "Période",
            [("", "Toutes"), *((p, period_name(p)) for p in periods)],
        ),
    ]


def _days(wave: Wave) -> Iterator[Any]:
    """One day of every month of the wave that has begun."""
    day, last = wave.opens_on, min(wave.closes_on, datetime.now(tz=PARIS).date())
    while day <= last:
        yield day
        day = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)


@blueprint.get("/<wave_id>/engagement/<code>")
@access.roles(*RESULT_READERS)
def commitment(wave_id: str, code: str) -> ResponseReturnValue:
    """One engagement: its items, every kind of absence, and every breakdown."""
    wave = wave_or_404(wave_id)
    report = report_of(wave, **selection())
    shown = for_staff(report)
    result = _commitment(shown.commitments, code)
    year = years.column(wave, shown)
    return render_template(
        "staff/commitment.html",
        wave=wave,
        report=report,
        result=result,
        year=year,
        items_year=year and not year.year.unavailable and year.of_items(result, shown),
        whole_table=table([("Toutes les questions", result)], report.settings, "whole"),
        items=table(
            ((report.questionnaire.questions[i.item or ""], i) for i in result.items), report.settings, "item"
        ),
        shares=[_shares(shown, item) for item in result.items],
        breakdowns=list(_breakdowns(shown, code)),
        **_around(wave, report),
    )


def _commitment(results: tuple[CommitmentResult, ...], code: str) -> CommitmentResult:
    found = next((result for result in results if result.commitment == code), None)
    if found is None:
        abort(404)
    return found


def _shares(shown: ShownReport, result: ItemResult) -> list[tuple[str, int]]:
    """How often each option of a question was chosen, in the order of the questionnaire."""
    item: Item = shown.report.questionnaire.items_by_name[result.item or ""]
    chosen = shown.code_counts(result)
    return [(option.label, chosen.get(option.code, 0)) for option in item.options]


def _breakdowns(shown: ShownReport, code: str) -> Iterator[tuple[str, str, Table]]:
    """Title, what each line is, and the lines; a breakdown with a single line says nothing new."""
    parts: tuple[tuple[str, str, Mapping[str, ShownFigures], Callable[[str], str]], ...] = (
        ("Par site", "Site", shown.by_site, site_name),
        ("Par mode de recueil", "Mode", shown.by_mode, mode_label),
        ("Par langue", "Langue", shown.by_language, language_name),
        ("Par mois", "Mois", shown.by_period, month_name),
    )
    for title, head, groups, name in parts:
        results = {key: _commitment(figures.commitments, code) for key, figures in groups.items()}
        lines = [(name(key), result) for key, result in results.items() if result.base or result.withheld]
        if len(lines) > 1:
            yield title, head, table(lines, shown.report.settings, head.lower())


@blueprint.get("/<wave_id>/verbatims")
@access.roles(REFERENT)
def verbatims(wave_id: str) -> ResponseReturnValue:
    """The free texts, for the referent alone, page by page."""
    wave = wave_or_404(wave_id)
    page = min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)
    item, site = request.args.get("question", ""), request.args.get("site", "")
    wanted = (
        text
        for text in counts.verbatims(wave_id)
        if item in ("", text.item.partition(".")[0]) and site in ("", text.site)
    )
    start = (page - 1) * VERBATIMS_PER_PAGE
    found = list(islice(wanted, start, start + VERBATIMS_PER_PAGE + 1))
    questionnaire = questionnaire_of(wave.questionnaire_version)
    return render_template(
        "staff/verbatims.html",
        wave=wave,
        texts=found[:VERBATIMS_PER_PAGE],
        more=len(found) > VERBATIMS_PER_PAGE,
        page=page,
        labels=questionnaire.questions,
        questions=[(i.name, questionnaire.questions[i.name]) for i in questionnaire.items if _takes_text(i)],
        question=item,
        site=site,
    )


def _takes_text(item: Item) -> bool:
    return QUESTION_TYPES[item.question_type].free_text or any(option.specify for option in item.options)
