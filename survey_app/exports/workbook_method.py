"""The last sheet, « Méthode »: everything a stranger needs to judge the figures and to compute them again."""

from __future__ import annotations

from collections.abc import Iterator

from xlsxwriter import Workbook

from survey_app.exports.source import ReportSource
from survey_app.exports.words import (
    ASSISTANCE_LABELS,
    HIDDEN,
    METHOD_LABELS,
    STATE_LABELS,
    day_words,
    mode_label,
    percent,
    whole,
)
from survey_app.exports.workbook_answers import HOW_TO_READ
from survey_app.exports.workbook_styles import ACCENT_DARK, Styles
from survey_app.exports.workbook_table import (
    TableColumn,
    add_sheet,
    fit_to_paper,
    row_height,
    write_cell,
)

SHEET = "Méthode"
COLUMNS = (TableColumn("Sujet", 40, wrap=True), TableColumn("Ce qui vaut", 110, wrap=True))
Fact = tuple[str, str | int | None]
ANONYMITY = {"anonymous": "anonyme", "nominative": "nominative"}


def write_method(workbook: Workbook, styles: Styles, source: ReportSource, *, footer: str) -> None:
    """Three columns: subject, fact, value."""
    sheet = add_sheet(workbook, SHEET, footer=footer)
    sheet.hide_gridlines(2)
    for position, column in enumerate(COLUMNS):
        sheet.set_column(position, position, column.width)
    title = styles.make(font_size=18, bold=True, font_color=ACCENT_DARK)
    chapter = styles.make(font_size=13, bold=True, font_color=ACCENT_DARK, bottom=2, bottom_color=ACCENT_DARK)
    name, value = (
        styles.cell(valign="top", text_wrap=True),
        styles.cell("0", text_wrap=True, align="left", valign="top"),
    )
    write_cell(sheet, 0, 0, SHEET, title)
    row = 1
    for heading, facts in _chapters(source):
        row += 1
        write_cell(sheet, row, 0, heading, chapter)
        write_cell(sheet, row, 1, None, chapter)
        for subject, fact in facts:
            row += 1
            sheet.set_row(row, row_height((subject, fact), COLUMNS))
            write_cell(sheet, row, 0, subject, name)
            write_cell(sheet, row, 1, fact, value)
        row += 1
    sheet.print_area(0, 0, row, 1)
    fit_to_paper(sheet, [column.width for column in COLUMNS])


def _chapters(source: ReportSource) -> Iterator[tuple[str, list[Fact]]]:
    yield "Édition", list(_wave_facts(source))
    yield "Questionnaire", list(_questionnaire_facts(source))
    yield "Ce qui est compté", list(_counting_facts(source))
    if source.rows:
        yield "Feuille «\u202fRéponses\u202f»", [("Comment la lire", HOW_TO_READ)]
    yield "Calculs", list(_rule_facts(source))
    yield "À lire avec les chiffres", [("", notice) for notice in source.report.notices]
    yield "Recalculer", list(_recomputing_facts(source))


def _wave_facts(source: ReportSource) -> Iterator[Fact]:
    wave = source.wave
    yield "Organisme", wave.organisation
    yield "Enquête", wave.survey_title
    yield "Édition", f"{wave.title} ({wave.code})"
    yield "État", STATE_LABELS.get(wave.state, wave.state)
    yield "Du", day_words(wave.opens_on)
    yield "Au", day_words(wave.last_day)
    if wave.last_day != wave.planned_end:
        yield "Fin prévue", f"{day_words(wave.planned_end)}\u00a0: l’édition a été close avant."
    yield "Sites", ", ".join(wave.sites.values())
    yield "Modes de recueil", ", ".join(mode_label(mode) for mode in wave.modes)
    yield "Langues", ", ".join(wave.languages.values())
    yield "Réponses", ANONYMITY.get(wave.anonymity, wave.anonymity)
    if wave.synthetic:
        yield "Attention", "Données synthétiques\u00a0: démonstration, aucune personne n’a répondu."


def _questionnaire_facts(source: ReportSource) -> Iterator[Fact]:
    yield "Titre", source.questionnaire.title
    yield "Référentiel", source.questionnaire.framework
    for number, digest in enumerate(source.versions):
        yield (
            "Empreinte de la version en cours" if number == 0 else "Empreinte d’une version antérieure",
            digest,
        )


def _counting_facts(source: ReportSource) -> Iterator[Fact]:
    wave, report = source.wave, source.report
    yield "Réponses comptées", report.responses
    yield "dont questionnaires terminés", report.complete
    yield "Réponses du chiffre principal", report.headline.responses
    sites = ", ".join(wave.sites.get(site, site) for site in wave.headline_sites)
    yield "Sites du chiffre principal", sites or "tous"
    yield "Modes du chiffre principal", ", ".join(map(mode_label, wave.headline_modes)) or "tous"
    for name, value in source.filters.items():
        yield f"Limité à\u00a0: {name}", value
    for reason, number in source.set_aside.items():
        yield f"Écartées\u00a0: {reason}", number
    if not source.set_aside:
        yield "Réponses écartées", 0
    yield "Réponses d’essai, jamais comptées", source.practice
    yield from _completion_facts(source)
    yield from _assistance_facts(source)
    for site, refused in source.refusals_by_site.items():
        yield f"Refus sur tablette\u00a0: {wave.sites.get(site, site)}", refused
    for site, visits in wave.expected_visits.items():
        if visits is not None:
            yield f"Visites attendues\u00a0: {wave.sites.get(site, site)}", visits
    for flag in source.shown.flags:
        yield "Remarque", flag.reason


def _completion_facts(source: ReportSource) -> Iterator[Fact]:
    """The other modes send finished questionnaires only, and have no such rate."""
    for site, met in source.report.on_tablets.items():
        name = source.wave.sites.get(site, site)
        yield f"Commencées sur tablette\u00a0: {name}", met.started
        yield f"dont menées à leur terme ({percent(met.completion_rate or 0)})", met.complete


def _assistance_facts(source: ReportSource) -> Iterator[Fact]:
    """Of the whole edition: the numbers of its parts would let small ones be subtracted."""
    numbers = source.shown.assistance or {}
    if any(number != 0 for number in numbers.values()):
        for name, number in numbers.items():
            yield f"Sur tablette, {ASSISTANCE_LABELS[name]}", HIDDEN if number is None else number


def _rule_facts(source: ReportSource) -> Iterator[Fact]:
    settings = source.report.settings
    yield "Seuil", f"{percent(settings.threshold)} (comparé sur les nombres entiers)"
    yield "Niveau de confiance", percent(settings.confidence)
    yield "Méthode demandée pour l’intervalle", METHOD_LABELS.get(settings.method, settings.method)
    yield "Base efficace minimale pour conclure", settings.minimum_base
    yield "Population", _population(source)
    for site, people in source.wave.strata.items():
        yield f"Population\u00a0: {source.wave.sites.get(site, site)}", people


def _population(source: ReportSource) -> str:
    declared = source.report.settings.population
    if declared is None:
        return "non déclarée"
    applied = source.report.headline.population is not None
    return f"{whole(declared)} ({'correction appliquée' if applied else 'correction non appliquée'})"


def _recomputing_facts(source: ReportSource) -> Iterator[Fact]:
    settings = source.report.settings
    yield (
        "Commande",
        f"python -m analysis reponses.csv "
        f"--threshold {settings.threshold} --confidence {settings.confidence} "
        f"--method {settings.method} --minimum-base {settings.minimum_base}",
    )
    yield (
        "Fichier à lui donner",
        "l’export «\u202fRéponses pour recalculer\u202f» de l’édition",
    )
    yield "Écrit le", source.written_at.strftime("%d/%m/%Y à %H:%M (%Z)")
    yield from source.software.items()
