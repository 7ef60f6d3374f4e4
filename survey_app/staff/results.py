"""« Résultats »: the page of a wave, one engagement, the free texts. Floor 5; figures from tallies alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from itertools import islice
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from analysis.axes import CommitmentResult, ItemResult, Result
from analysis.comparisons import Difference
from analysis.disclosure import ShownFigures, ShownReport
from analysis.dispositions import Dispositions
from analysis.notices import RULES
from analysis.wave_report import WaveReport
from form_definitions import QUESTION_TYPES, Item, Questionnaire
from survey_app import access, waves
from survey_app.access import REFERENT, RESULT_READERS, may
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.disclosure import for_staff
from survey_app.exports.words import ASSISTANCE_LABELS, METHOD_LABELS, mode_label, percent, risk_words
from survey_app.models import Wave
from survey_app.reports import SMALLEST_STEP, report_of, sealed, shown_before, versions_of
from survey_app.responses import counts, refusals
from survey_app.staff import years
from survey_app.staff.figures import Table, table
from survey_app.staff.pages import (
    language_name,
    month_name,
    one_decimal,
    site_name,
    wave_or_404,
)
from survey_app.staff.personal_mentions import pieces
from survey_app.staff.result_filters import filters_of, selection
from survey_app.strata import names_of

blueprint = Blueprint("staff_results", __name__, url_prefix="/gestion/resultats")
VERBATIMS_PER_PAGE: Final = 50
LAST_PAGE: Final = 10_000


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
    report = report_of(wave, **selection(), before=_before(wave))
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
        measured=sum(result.base > 0 for result in report.commitments),
        year=years.column(wave, shown),
        begun=sum(report.on_tablets.values(), Dispositions()),
        assistance=_assistance(shown),
        refused=_refused(wave),
        hidden=[(a.site, table([("", a.result)], report.settings, "").rows[0][1]) for a in shown.hidden_axes],
        missing={} if _is_part() or names_of(wave.id) else _missing(report),
        differences=shown.mode_differences,
        sure=[difference for difference in shown.mode_differences if difference.sure],
        say=partial(say_difference, questions=report.questionnaire.questions),
        titles={c.code: c.title for c in report.questionnaire.commitments},
        **_around(wave, report),
    )


def _assistance(shown: ShownReport) -> list[tuple[str, int | None]]:
    """Words, and how many people (None where it is hidden); nothing where no tablet sent anything."""
    numbers = shown.assistance or {}
    told = [(ASSISTANCE_LABELS[name], number) for name, number in numbers.items()]
    return told if any(number != 0 for _, number in told) else []


def _refused(wave: Wave) -> list[tuple[Any, str, int]]:
    """(day, site, number) of those who declined on a tablet, whatever mode or language is chosen."""
    chosen = selection()
    found = refusals.of_wave(db.session(), wave, site=chosen["site"], period=chosen["period"])
    return sorted((day, site, number) for (site, day), number in found.items())


def _missing(report: WaveReport) -> dict[str, int]:
    return {site: n for site, n in report.missing_for_margin.items() if n}


def _is_part() -> bool:
    """Whether only some modes or languages are shown: what misses for a margin is a matter of whole sites."""
    return bool(request.args.get("mode") or request.args.get("langue"))


def _services(questionnaire: Questionnaire) -> dict[str, str]:
    """Engagement → the services that answer for it, by their names where the organisation gives them."""
    names = {service.code: service.name for service in organisation().services}
    listed = [(c.code, c.service.split(", ")) for c in questionnaire.commitments if c.service]
    return {code: "\u202f; ".join(names.get(one, one) for one in services) for code, services in listed}


def worst_first(result: Result) -> tuple[bool, float]:
    """Lowest rate first; those without answers at the end."""
    return result.rate is None, result.rate or 0.0


def say_difference(difference: Difference, questions: Mapping[str, str]) -> str:
    """A sure difference between two modes; that of a single question names it."""
    first, second = mode_label(difference.first), mode_label(difference.second)
    higher, lower = (first, second) if difference.difference > 0 else (second, first)
    points = one_decimal(abs(difference.difference)).replace("%", "points")
    asked = f"«\u202f{questions[difference.item]}\u202f», " if difference.item else ""
    return f"{asked}«\u202f{higher}\u202f» dépasse «\u202f{lower}\u202f» de {points}, c’est sûr."


def _before(wave: Wave) -> date | None:
    return shown_before(wave, live=may(REFERENT))


def _around(wave: Wave, report: WaveReport) -> dict[str, Any]:
    """What both result pages show around their tables."""
    return {
        "threshold": percent(report.settings.threshold),
        **filters_of(wave),
        "level": percent(report.settings.confidence),
        "risk": risk_words(report.settings.confidence),
        "methods": METHOD_LABELS,
        "rules": RULES,
        "before": _before(wave),
        "sealed": sealed(wave),
        "step": SMALLEST_STEP,
    }


@blueprint.get("/<wave_id>/engagement/<code>")
@access.roles(*RESULT_READERS)
def commitment(wave_id: str, code: str) -> ResponseReturnValue:
    """One engagement: its items, every kind of absence, and every breakdown."""
    wave = wave_or_404(wave_id)
    report = report_of(wave, **selection(), before=_before(wave))
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
    asked = versions_of(wave).values()
    labels = {name: text for version in reversed([*asked]) for name, text in version.questions.items()}
    question, site = request.args.get("question", ""), request.args.get("site", "")

    def is_wanted(text: counts.Verbatim) -> bool:
        item = text.item.partition(".")[0]
        same = labels.get(item, item) == labels.get(question, question)
        return (not question or same) and site in ("", text.site)

    wanted = filter(is_wanted, counts.verbatims(wave_id))
    start = (page - 1) * VERBATIMS_PER_PAGE
    found = list(islice(wanted, start, start + VERBATIMS_PER_PAGE + 1))
    return render_template(
        "staff/verbatims.html",
        wave=wave,
        texts=found[:VERBATIMS_PER_PAGE],
        more=len(found) > VERBATIMS_PER_PAGE,
        page=page,
        labels=labels,
        questions=_questions_with_texts(asked, labels),
        question=question,
        site=site,
        pieces=pieces,
    )


def _questions_with_texts(asked: Iterable[Questionnaire], labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each wording once: two sites, or two versions, may ask the same under two names."""
    named: dict[str, str] = {}
    for item in (item for version in asked for item in version.items if _takes_text(item)):
        named.setdefault(labels[item.name], item.name)
    return [(name, label) for label, name in named.items()]


def _takes_text(item: Item) -> bool:
    return QUESTION_TYPES[item.question_type].free_text or any(option.specify for option in item.options)
