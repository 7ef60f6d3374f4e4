"""Figures of past years, imported as counts from a CSV: every fault by its line, all or nothing. Floor 4."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from survey_app.audit import act, record
from survey_app.database import db
from survey_app.models import PastResult, Survey

COLUMNS: Final = ("commitment", "item", "favourable", "base")
OPTIONAL: Final = ("population",)
MAXIMUM_LINES: Final = 5_000
LONGEST: Final = 9


class PastResultsError(ValueError):
    """The file cannot be imported; `faults` has one French sentence per fault, with its line."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class PastCount:
    """One line of the file."""

    commitment: str
    item: str | None
    favourable: int
    base: int
    population: int | None


def read_counts(text: str) -> list[PastCount]:
    """The lines of a CSV (`,` or `;`); raises `PastResultsError` with every fault."""
    lines = text.removeprefix("\ufeff").splitlines()
    header = lines[0] if lines else ""
    reader = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=";" if ";" in header else ",")
    _check_header(reader.fieldnames or ())
    faults: list[str] = []
    counts = [_read_line(number, line, faults) for number, line in enumerate(reader, 2)]
    _check_all(counts, faults)
    if faults:
        raise PastResultsError(faults)
    return [count for count in counts if count is not None]


def _check_header(found: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in found]
    unknown = [name for name in found if name not in (*COLUMNS, *OPTIONAL)]
    faults = [f"Ligne 1\u00a0: il manque la colonne «\u202f{name}\u202f»." for name in missing]
    faults += [f"Ligne 1\u00a0: colonne inconnue «\u202f{name}\u202f»." for name in unknown]
    if faults:
        raise PastResultsError(faults)


def _read_line(number: int, line: Mapping[str, str | None], faults: list[str]) -> PastCount | None:
    before = len(faults)
    if None in line or None in line.values():
        faults.append(f"Ligne {number}\u00a0: le nombre de colonnes n’est pas celui de la première ligne.")
        return None
    commitment = (line["commitment"] or "").strip()
    if not commitment:
        faults.append(f"Ligne {number}\u00a0: l’engagement manque.")
    favourable = _number(number, line, "favourable", faults)
    base = _number(number, line, "base", faults)
    population = (
        _number(number, line, "population", faults) if (line.get("population") or "").strip() else None
    )
    if len(faults) > before or favourable is None or base is None:
        return None
    faults += _contradictions(number, favourable, base, population)
    return PastCount(commitment, (line["item"] or "").strip() or None, favourable, base, population)


def _contradictions(number: int, favourable: int, base: int, population: int | None) -> list[str]:
    faults = []
    if favourable > base:
        faults.append(f"Ligne {number}\u00a0: {favourable} réponses favorables pour une base de {base}.")
    if population is not None and population < base:
        faults.append(
            f"Ligne {number}\u00a0: la population ({population}) est plus petite que la base ({base})."
        )
    return faults


def _number(line_number: int, line: Mapping[str, str | None], name: str, faults: list[str]) -> int | None:
    text = (line.get(name) or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= LONGEST:
        return int(text)
    what = f"«\u202f{text[:40]}\u202f» n’est pas un nombre entier de moins de {LONGEST + 1} chiffres."
    faults.append(f"Ligne {line_number}, «\u202f{name}\u202f»\u00a0: {what}")
    return None


def _check_all(counts: Sequence[PastCount | None], faults: list[str]) -> None:
    if not counts:
        faults.append("Le fichier ne contient aucune ligne de chiffres.")
    if len(counts) > MAXIMUM_LINES:
        faults.append(f"Plus de {MAXIMUM_LINES} lignes\u00a0: partagez le fichier.")
    seen: dict[tuple[str, str | None], int] = {}
    for number, count in enumerate(counts, 2):
        if count is None:
            continue
        first = seen.setdefault((count.commitment, count.item), number)
        if first != number:
            what = count.item or count.commitment
            faults.append(f"Ligne {number}\u00a0: «\u202f{what}\u202f» est déjà à la ligne {first}.")


def import_counts(survey_slug: str, year: int, title: str, text: str, *, source: str, actor: str) -> int:
    """Replace the figures of one year of a survey by those of a file; gives the number of lines."""
    counts = read_counts(text)
    with act() as transaction:
        survey = transaction.scalars(select(Survey).where(Survey.slug == survey_slug)).one_or_none()
        if survey is None:
            raise PastResultsError(["Choisissez une enquête de la liste."])
        transaction.execute(
            delete(PastResult).where(PastResult.survey_id == survey.id, PastResult.year == year)
        )
        common = {"survey_id": survey.id, "year": year, "wave_title": title, "source": source}
        transaction.add_all(PastResult(**common, **vars(count)) for count in counts)
        record(transaction, "past-results-imported", actor=actor, subject=f"{survey_slug} {year}")
    return len(counts)


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
