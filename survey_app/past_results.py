"""Figures of past years, imported as counts from a CSV: every fault by its line, all or nothing. Floor 4.

What our own exports write is taken in: « comptes », and « resultats » with its French headings.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from analysis.csv_input import RULES
from analysis.display import counted
from form_definitions import Questionnaire
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.definitions import library
from survey_app.earlier_years import fewest_people
from survey_app.exports.results_csv import FRENCH_HEADINGS
from survey_app.exports.words import HIDDEN
from survey_app.models import PastResult, QuestionnaireVersion, Survey
from survey_app.questionnaires import questionnaire_of

COLUMNS: Final = ("commitment", "item", "favourable", "base")
OPTIONAL: Final = ("population", "rule")
"""`rule` is checked and left: it decides verdicts, and of past years only rates are shown."""
FRENCH: Final = {
    "Code de l’engagement": "commitment",
    "Code de la question": "item",
    "Favorables": "favourable",
    "Base": "base",
    "Population": "population",
}
"""Heading of « resultats » → column; its other headings say in words what these say, or how they are read."""
REQUIRED_FRENCH: Final = frozenset(heading for heading, name in FRENCH.items() if name in COLUMNS)
MAXIMUM_LINES: Final = 5_000
LONGEST: Final = 8


class PastResultsError(ValueError):
    """The file cannot be imported; `faults` has one French sentence per fault, with its line."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class YearExistsError(PastResultsError):
    """The year is already there: replacing it takes a word of confirmation."""


@dataclass(frozen=True)
class PastCount:
    """One line of the file."""

    commitment: str
    item: str | None
    favourable: int
    base: int
    population: int | None


@dataclass(frozen=True)
class Asked:
    """What a survey ever asked, to check the names of a file by."""

    names: Mapping[str, Mapping[str, str]]
    """« commitment » and « item » → code → title."""
    questions: Mapping[str, int]
    """Engagement → the most questions that measured it."""


Line: TypeAlias = tuple[int, PastCount]
_NO_LINE = "Le fichier ne contient aucune ligne de chiffres."


def read_counts(text: str, asked: Asked | None = None) -> list[Line]:
    """The lines of a CSV (`,` or `;`) with their numbers; raises `PastResultsError` with every fault.

    Without ``asked`` the names are taken as they are.
    """
    text = text.removeprefix("\ufeff")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    _check_header(_columns(reader))
    faults: list[str] = []
    try:
        read = [(reader.line_num, _read_line(reader.line_num, line, faults, asked)) for line in reader]
    except csv.Error as fault:
        raise PastResultsError([f"Ligne {reader.line_num}\u00a0: ce n’est pas une ligne de CSV."]) from fault
    counts = [(number, count) for number, count in read if count is not None]
    _check_all(counts, faults, some=bool(read))
    if faults:
        raise PastResultsError(faults)
    return counts


def _columns(reader: csv.DictReader[str]) -> Sequence[str]:
    """The columns by our names, whichever of our exports wrote them."""
    found = [name.strip() for name in reader.fieldnames or ()]
    if {*found} >= REQUIRED_FRENCH:
        found = [FRENCH.get(name, name) for name in found]
    reader.fieldnames = found
    return [name for name in found if name not in FRENCH_HEADINGS]


def _check_header(found: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in found]
    unknown = [name for name in found if name not in (*COLUMNS, *OPTIONAL)]
    faults = [f"Ligne 1\u00a0: il manque la colonne «\u202f{name}\u202f»." for name in missing]
    faults += [f"Ligne 1\u00a0: colonne inconnue «\u202f{name}\u202f»." for name in unknown]
    if faults:
        raise PastResultsError(faults)


def _read_line(
    number: int, line: Mapping[str, str | None], faults: list[str], asked: Asked | None
) -> PastCount | None:
    """The counts of a line; None for one with a fault, and for one whose figures our export hid."""
    before = len(faults)
    if None in line or None in line.values():
        faults.append(f"Ligne {number}\u00a0: le nombre de colonnes n’est pas celui de la première ligne.")
        return None
    if HIDDEN in line.values():
        return None
    commitment, item = (line["commitment"] or "").strip(), (line["item"] or "").strip() or None
    if not commitment:
        faults.append(f"Ligne {number}\u00a0: l’engagement manque.")
    faults += _unknown_names(number, commitment or None, item, asked)
    if (rule := (line.get("rule") or "").strip()) not in ("", *RULES):
        faults.append(f"Ligne {number}\u00a0: règle inconnue «\u202f{rule}\u202f»\u202f; {', '.join(RULES)}.")
    favourable = _number(number, line, "favourable", faults)
    base = _number(number, line, "base", faults)
    population = (
        _number(number, line, "population", faults) if (line.get("population") or "").strip() else None
    )
    if len(faults) > before or favourable is None or base is None:
        return None
    count = PastCount(commitment, item, favourable, base, population)
    faults += _impossible(number, count, asked)
    return count


def _impossible(number: int, count: PastCount, asked: Asked | None) -> Iterator[str]:
    base, population = count.base, count.population
    if count.favourable > base:
        found = counted(count.favourable, "réponse favorable", "réponses favorables")
        yield f"Ligne {number}\u00a0: {found} pour une base de {base}."
    if asked and population is not None and population < _people(count, asked.questions):
        yield f"Ligne {number}\u00a0: la population ({population}) est plus petite que la base ({base})."


def _people(count: PastCount, questions: Mapping[str, int]) -> int:
    """How many people have at least answered: a total may hold several answers of each."""
    return count.base if count.item else fewest_people(count.base, questions.get(count.commitment, 1))


def _number(line_number: int, line: Mapping[str, str | None], name: str, faults: list[str]) -> int | None:
    text = (line.get(name) or "").strip()
    if not text:
        faults.append(f"Ligne {line_number}, «\u202f{name}\u202f»\u00a0: la valeur manque.")
        return None
    if text.isascii() and text.isdigit() and len(text) <= LONGEST:
        return int(text)
    what = f"«\u202f{text[:40]}\u202f» n’est pas un nombre entier de moins de {LONGEST + 1} chiffres."
    faults.append(f"Ligne {line_number}, «\u202f{name}\u202f»\u00a0: {what}")
    return None


def _check_all(counts: Sequence[Line], faults: list[str], *, some: bool) -> None:
    if not counts and not faults:
        what = "Tous les chiffres de ce fichier sont masqués." if some else _NO_LINE
        faults.append(what)
    if len(counts) > MAXIMUM_LINES:
        faults.append(f"Plus de {MAXIMUM_LINES} lignes\u00a0: partagez le fichier.")
    seen: dict[tuple[str, str | None], int] = {}
    for number, count in counts:
        first = seen.setdefault((count.commitment, count.item), number)
        if first != number:
            what = count.item or count.commitment
            faults.append(f"Ligne {number}\u00a0: «\u202f{what}\u202f» est déjà à la ligne {first}.")


def decoded(content: bytes) -> str:
    """The text of a CSV file: UTF-8, or Windows-1252 as Excel in French saves it."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PastResultsError(["Le fichier n’est pas du texte. Enregistrez-le en «\u202fCSV UTF-8\u202f»."])


def names_of(survey_slug: str) -> dict[str, dict[str, str]]:
    """Code → title of the engagements (« commitment ») and questions (« item ») ever asked in a survey."""
    found: dict[str, dict[str, str]] = {"commitment": {}, "item": {}}
    for asked in _versions_of(survey_slug):
        if asked.framework in library().frameworks:
            known = library().frameworks[asked.framework].commitments
            found["commitment"] |= {code: str(commitment.title) for code, (_, commitment) in known.items()}
        found["commitment"] |= {commitment.code: commitment.title for commitment in asked.commitments}
        found["item"] |= {item.name: asked.questions[item.name] for item in asked.items}
    return found


def questions_of(survey_slug: str) -> dict[str, int]:
    """Engagement → the most questions that a version of the survey measured it by."""
    found: dict[str, int] = {}
    for asked in _versions_of(survey_slug):
        for code, number in Counter(item.commitment for item in asked.items if item.commitment).items():
            found[code] = max(number, found.get(code, 1))
    return found


def _versions_of(survey_slug: str) -> Iterator[Questionnaire]:
    query = select(QuestionnaireVersion).join(Survey, Survey.questionnaire_slug == QuestionnaireVersion.slug)
    query = query.where(Survey.slug == survey_slug).order_by(QuestionnaireVersion.published_at)
    return (questionnaire_of(version) for version in db.session.scalars(query))


def _unknown_names(
    number: int, commitment: str | None, item: str | None, asked: Asked | None
) -> Iterator[str]:
    for kind, word, end, code in (
        ("commitment", "l’engagement", "", commitment),
        ("item", "la question", "e", item),
    ):
        if asked and code is not None and code not in asked.names[kind]:
            what = f"{word} «\u202f{code}\u202f» est inconnu{end} de cette enquête."
            yield f"Ligne {number}\u00a0: {what}{_suggestion(code, asked.names[kind])}"


def _suggestion(code: str, known: Mapping[str, str]) -> str:
    close = get_close_matches(code, known, n=1)
    return f" Vouliez-vous dire «\u202f{close[0]}\u202f»\u202f?" if close else ""


def import_counts(
    survey_slug: str, year: int, title: str, text: str, *, source: str, actor: str, replace: bool = False
) -> int:
    """Take in the figures of one year of a survey; gives the number of lines.

    A year that is already there is only replaced when `replace` says so.
    """
    with act() as transaction:
        survey = transaction.scalars(select(Survey).where(Survey.slug == survey_slug)).one_or_none()
        if survey is None:
            raise PastResultsError(["Choisissez une enquête de la liste."])
        counts = read_counts(text, Asked(names_of(survey_slug), questions_of(survey_slug)))
        if not replace and _has_year(transaction, survey.id, year):
            raise YearExistsError([f"{year} existe déjà\u00a0: confirmez le remplacement de ses chiffres."])
        transaction.execute(
            delete(PastResult).where(PastResult.survey_id == survey.id, PastResult.year == year)
        )
        common = {"survey_id": survey.id, "year": year, "wave_title": title, "source": source}
        transaction.add_all(PastResult(**common, **vars(count)) for _, count in counts)
        record(transaction, "past-results-imported", actor=actor, subject=f"{survey_slug} {year}")
    return len(counts)


def _has_year(transaction: Session, survey_id: int, year: int) -> bool:
    query = select(PastResult.id).where(PastResult.survey_id == survey_id, PastResult.year == year)
    return transaction.scalars(query.limit(1)).first() is not None


def past_results() -> Sequence[tuple[Survey, PastResult]]:
    """All imported figures, the latest year first."""
    query = select(Survey, PastResult).join(PastResult, PastResult.survey_id == Survey.id)
    query = query.order_by(PastResult.year.desc(), Survey.slug, PastResult.id)
    return [(survey, result) for survey, result in db.session.execute(query)]


def delete_year(survey_id: int, year: int, *, actor: str) -> None:
    """Take the figures of one year out again."""
    with act() as transaction:
        transaction.execute(
            delete(PastResult).where(PastResult.survey_id == survey_id, PastResult.year == year)
        )
        record(transaction, "past-results-deleted", actor=actor, subject=f"{survey_id} {year}")
