"""The year before beside a wave: the latest earlier edition of ours, or figures that were imported. Floor 4.

Both are shown through the one judgement of what staff may see, and a series that a change of the
questionnaire breaks is not compared: the reason takes the place of the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final

from sqlalchemy import bindparam, func, select

from analysis.axes import CommitmentResult, MeasuredItem, Result, commitment_result
from analysis.comparisons import Difference, Subject, differences
from analysis.disclosure import ShownReport, judged
from analysis.publication import Readers
from analysis.rates import Rate
from analysis.wave_report import Selection, WaveReport, WaveSettings
from form_definitions import explain_changes
from survey_app.database import db
from survey_app.disclosure import for_staff
from survey_app.models import PastResult, TallyCell, Wave
from survey_app.reports import counted_versions, report_by_territory, report_of
from survey_app.strata import composition, names_of
from survey_app.waves import CLOSED, PUBLISHED, SEALED, plan_of

NOW, BEFORE = "now", "before"
ENDED: Final = (CLOSED, SEALED, PUBLISHED)

# Written once: making a statement costs more than running it.
_EARLIER_EDITIONS: Final = (
    select(Wave)
    .where(Wave.survey_id == bindparam("survey_id"), Wave.opens_on < bindparam("opens_on"))
    .where(Wave.state.in_(ENDED), Wave.synthetic == bindparam("synthetic"))
    .where(select(TallyCell.wave_id).where(TallyCell.wave_id == Wave.id).exists())
    .order_by(Wave.opens_on.desc(), Wave.id)
)
_IMPORTED_BEFORE: Final = (
    PastResult.survey_id == bindparam("survey_id"),
    PastResult.year < bindparam("year"),
)
_LATEST_IMPORT: Final = (
    select(PastResult)
    .where(*_IMPORTED_BEFORE)
    .where(PastResult.year == select(func.max(PastResult.year)).where(*_IMPORTED_BEFORE).scalar_subquery())
    .order_by(PastResult.id)
)


@dataclass(frozen=True)
class EarlierYear:
    """What another wave is compared with."""

    name: str
    """The year, or the title of the edition where the year is the same."""
    title: str
    unavailable: str = ""
    """Why there is nothing to compare the present selection with; empty = there is."""
    cautions: tuple[str, ...] = ()
    commitments: Mapping[str, CommitmentResult] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    """Engagement or question → why its figures are not comparable."""

    def line(self, now: Result) -> Result | None:
        """The same engagement or question then."""
        found = self.commitments.get(now.commitment)
        if found is None or now.item is None:
            return found
        return next((item for item in found.items if item.item == now.item), None)


@dataclass(frozen=True)
class Comparison:
    """One line of figures beside what it was."""

    before: Result | None
    differences: tuple[Difference, ...] = ()
    """One; several where an engagement is compared question by question."""
    why_not: str = ""


def compare(
    lines: Sequence[Result], earlier: EarlierYear, settings: WaveSettings
) -> dict[Subject, Comparison]:
    """These lines beside the earlier year; their differences are adjusted together: what one reader sees."""
    before = {_subject(now): earlier.line(now) for now in lines}
    reasons = {_subject(now): _why_not(now, before[_subject(now)], earlier) for now in lines}
    groups = {
        NOW: [now for now in lines if not reasons[_subject(now)]],
        BEFORE: [then for subject, then in before.items() if then is not None and not reasons[subject]],
    }
    found = differences(groups, settings.confidence, settings.minimum_base)
    return {
        _subject(now): _comparison(now, before[_subject(now)], reasons[_subject(now)], found, earlier)
        for now in lines
    }


def _subject(line: Result) -> Subject:
    return line.commitment, line.item


def _why_not(now: Result, before: Result | None, earlier: EarlierYear) -> str:
    broken = earlier.broken.get(now.item or now.commitment)
    if broken:
        return broken
    if before is None:
        return f"Pas de chiffre pour {earlier.name}."
    if now.withheld:
        return "Le chiffre de cette édition est masqué."
    if before.withheld:
        return f"Le chiffre de {earlier.name} est masqué."
    if now.rate is None or before.rate is None:
        return "Aucune réponse à comparer."
    return ""


def _comparison(
    now: Result, before: Result | None, why_not: str, found: Sequence[Difference], earlier: EarlierYear
) -> Comparison:
    if why_not:
        return Comparison(None, why_not=why_not)
    own = tuple(d for d in found if d.commitment == now.commitment and now.item in (None, d.item))
    if own:
        return Comparison(before, own)
    return Comparison(before, why_not=f"Les questions n’ont pas de chiffre pour {earlier.name}.")


def earlier_year(wave: Wave, report: WaveReport, readers: Readers = "staff") -> EarlierYear | None:
    """The latest earlier year of the same survey, for the part of the wave that the report looks at."""
    edition, imported = _earlier_edition(wave), _imported_before(wave)
    if edition is not None and (not imported or edition.opens_on.year >= imported[0].year):
        return _of_edition(edition, wave, report, readers)
    return _of_import(imported, wave, report, readers) if imported else None


def _earlier_edition(wave: Wave) -> Wave | None:
    """The latest one that has ended and counted somebody. Invented answers are never set beside real ones."""
    of_wave = {"survey_id": wave.survey_id, "opens_on": wave.opens_on, "synthetic": wave.synthetic}
    return db.session.scalars(_EARLIER_EDITIONS, of_wave).first()


def _imported_before(wave: Wave) -> Sequence[PastResult]:
    of_wave = {"survey_id": wave.survey_id, "year": wave.opens_on.year}
    return db.session.scalars(_LATEST_IMPORT, of_wave).all()


def _of_edition(edition: Wave, wave: Wave, report: WaveReport, readers: Readers) -> EarlierYear:
    same_year = edition.opens_on.year == wave.opens_on.year
    named = EarlierYear(edition.title if same_year else str(edition.opens_on.year), edition.title)
    chosen = report.selection
    if chosen.period is not None:
        why = (
            f"La comparaison avec {named.name} porte sur toute la durée\u00a0: retirez le filtre de période."
        )
        return replace(named, unavailable=why)
    if chosen.site is not None and not _same_place(chosen.site, edition, wave):
        why = f"«\u202f{names_of(wave.id)[chosen.site]}\u202f» n’est pas composé comme dans {named.name}."
        return replace(named, unavailable=why)
    before = _report_for(readers, edition, chosen)
    return replace(
        named,
        cautions=_other_composition(edition, wave, chosen, named.name),
        commitments={result.commitment: result for result in _shown(before, readers).commitments},
        broken=_broken(edition, wave),
    )


def _report_for(readers: Readers, edition: Wave, chosen: Selection) -> WaveReport:
    if readers == "public":
        return report_by_territory(edition, chosen.site)
    return report_of(edition, site=chosen.site, mode=chosen.mode, language=chosen.language)


def _shown(before: WaveReport, readers: Readers) -> ShownReport:
    return for_staff(before) if readers == "staff" else ShownReport(before, readers)


def _same_place(site: str, edition: Wave, wave: Wave) -> bool:
    """Strata are merged by the answers of one wave: under one name, another may have had fewer communes."""
    now = composition(wave.id)
    return site not in now or now[site] == composition(edition.id).get(site)


def _other_composition(edition: Wave, wave: Wave, chosen: Selection, name: str) -> tuple[str, ...]:
    """Modes and sites do not answer alike: a headline of others is another mixture."""
    before, now = plan_of(edition), plan_of(wave)
    other = []
    if chosen.site is None and {*before.headline_sites} != {*now.headline_sites}:
        other.append("d’autres sites")
    if chosen.mode is None and {*before.headline_modes} != {*now.headline_modes}:
        other.append("d’autres modes de recueil")
    if not other:
        return ()
    words = " et ".join(other)
    return (f"Le chiffre principal de {name} comptait {words}\u00a0: l’écart peut venir de là.",)


def _broken(edition: Wave, wave: Wave) -> dict[str, str]:
    """Series → the first change that breaks it, between any versions that the two waves counted."""
    found: dict[str, str] = {}
    for old_digest, old in counted_versions(edition).items():
        for new_digest, new in counted_versions(wave).items():
            for change in () if old_digest == new_digest else explain_changes(old, new):
                found |= {name: change.sentence for name in change.breaks_series if name not in found}
    return found


def _of_import(lines: Sequence[PastResult], wave: Wave, report: WaveReport, readers: Readers) -> EarlierYear:
    named = EarlierYear(str(lines[0].year), lines[0].wave_title)
    if report.selection != Selection():
        why = f"Les chiffres importés de {named.name} sont d’une édition entière\u00a0: retirez les filtres."
        return replace(named, unavailable=why)
    asked = {result.commitment: len(result.items) for result in report.commitments}
    counted = {
        (line.commitment, line.item): imported_rate(line, asked.get(line.commitment, 1)) for line in lines
    }
    results = [_imported(now, counted, report.settings) for now in report.commitments]
    caution = (
        f"Chiffres importés\u00a0: les formulations, les sites et les modes de {named.name} ne sont pas "
        "connus ici. Vérifiez qu’ils n’ont pas changé."
    )
    shown = {result.commitment: judged(result, readers) for result in results if result is not None}
    return replace(named, cautions=(caution, *_invented(wave)), commitments=shown)


def _invented(wave: Wave) -> tuple[str, ...]:
    """An import does not say where its counts come from: beside invented answers, no difference is real."""
    sentence = "Les réponses de cette édition sont inventées\u00a0: l’écart ne dit rien de réel."
    return (sentence,) if wave.synthetic else ()


def imported_rate(line: PastResult, questions: int) -> Rate:
    """The counts of an imported line; a total may be of so many questions.

    Nobody knows how many people gave the answers to several questions: at least so many. A population that
    they outgrow was that of another number of questions, and says nothing.
    """
    people = line.base if line.item else fewest_people(line.base, questions)
    population = line.population if line.population is None or line.population >= people else None
    return Rate(line.favourable, line.base, population=population, respondents=people)


def fewest_people(answers: int, questions: int) -> int:
    """How many people have at least given so many answers to so many questions."""
    return ceil(answers / max(1, questions))


def _imported(
    now: CommitmentResult, counted: Mapping[Subject, Rate], settings: WaveSettings
) -> CommitmentResult | None:
    """The engagement then: of all its questions of today, else of the line that gives its total."""
    subjects = [_subject(item) for item in now.items]
    if all(subject in counted for subject in subjects):
        measured = [MeasuredItem(item.item or "", counted[_subject(item)], item.title) for item in now.items]
        return commitment_result(now.commitment, measured, settings.reading, rule=now.rule, title=now.title)
    total = counted.get((now.commitment, None))
    if total is None:
        return None
    whole = commitment_result(now.commitment, [MeasuredItem("", total)], settings.reading, title=now.title)
    return replace(whole, items=())
