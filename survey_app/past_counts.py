"""A CSV of a past year's counts: every fault by its line, all or nothing. Floor 4.

What our own exports write is taken in: « comptes », and « resultats » with its French headings. So is the
template that the referent fills in: lines without any figure are left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

from analysis.csv_input import RULES
from analysis.display import counted
from survey_app.earlier_years import fewest_people
from survey_app.exports.results_csv import FRENCH_HEADINGS
from survey_app.exports.words import HIDDEN

REQUIRED: Final = ("commitment", "favourable", "base")
COLUMNS: Final = ("commitment", "item", "favourable", "base")
"""As a complete file has them; one without ``item`` gives the total of each engagement."""
OPTIONAL: Final = ("item", "population", "rule")
"""`rule` is checked and left: it decides verdicts, and of past years only rates are shown."""
FRENCH: Final = {
    "Code de l’engagement": "commitment",
    "Code de la question": "item",
    "Favorables": "favourable",
    "Base": "base",
    "Population": "population",
}
"""Heading of « resultats » → column; its other headings say in words what these say, or how they are read."""
REQUIRED_FRENCH: Final = frozenset(heading for heading, name in FRENCH.items() if name in REQUIRED)
MAXIMUM_LINES: Final = 5_000
LONGEST: Final = 8


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


@dataclass(frozen=True)
class Asked:
    """What a survey ever asked, to check the names of a file by."""

    names: Mapping[str, Mapping[str, str]]
    """« commitment » and « item » → code → title."""
    questions: Mapping[str, int]
    """Engagement → the most questions that measured it."""

    def knows(self, commitment: str | None, item: str | None) -> bool:
        """Whether it asked this question, or measured this engagement by any."""
        return commitment in self.questions and (item is None or item in self.names["item"])


Line: TypeAlias = tuple[int, PastCount]
Cells: TypeAlias = Mapping[str, str]
_NO_LINE = "Le fichier ne contient aucune ligne de chiffres."


def read_counts(text: str, asked: Asked | None = None) -> list[Line]:
    """The lines of a CSV (`,` or `;`) with their numbers; raises `PastResultsError` with every fault.

    Without ``asked`` the names are taken as they are.
    """
    faults: list[str] = []
    lines = list(_lines_of(text, faults))
    read = [(number, _read_line(number, cells, faults, asked)) for number, cells in lines]
    counts = [(number, count) for number, count in read if count is not None]
    _check_all(counts, faults, hidden=any(HIDDEN in cells.values() for _, cells in lines))
    if faults:
        raise PastResultsError(faults)
    return counts


def codes_in(text: str) -> list[tuple[str, str | None]]:
    """The (engagement, question) of every line that can be read, to find out which survey asked them."""
    return [_codes(cells) for _, cells in _lines_of(text, [])]


def _lines_of(text: str, faults: list[str]) -> Iterator[tuple[int, Cells]]:
    """The first line of each row that is not blank, and its cells by our names."""
    text = text.removeprefix("\ufeff")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: list[str] = []
    number = 1
    try:
        for cells in reader:
            if not columns:
                columns = _columns(cells)
            elif cells and len(cells) != len(columns):
                what = "le nombre de colonnes n’est pas celui de la première ligne."
                faults.append(f"Ligne {number}\u00a0: {what}")
            elif cells:
                yield number, dict(zip(columns, cells, strict=True))
            number = reader.line_num + 1
    except csv.Error as fault:
        raise PastResultsError([f"Ligne {number}\u00a0: ce n’est pas une ligne de CSV."]) from fault
    if not columns:
        _check_header([])


def _columns(header: Sequence[str]) -> list[str]:
    """The columns by our names, whichever of our exports wrote them."""
    found = [name.strip() for name in header]
    if {*found} >= REQUIRED_FRENCH:
        found = [FRENCH.get(name, name) for name in found]
    _check_header([name for name in found if name not in FRENCH_HEADINGS])
    return found


def _check_header(found: Sequence[str]) -> None:
    faults = [f"il manque la colonne «\u202f{name}\u202f»." for name in REQUIRED if name not in found]
    known = (*REQUIRED, *OPTIONAL)
    faults += [f"colonne inconnue «\u202f{name}\u202f»." for name in found if name not in known]
    twice = dict.fromkeys(name for name in found if name in known and found.count(name) > 1)
    faults += [f"la colonne «\u202f{name}\u202f» est là deux fois." for name in twice]
    if faults:
        raise PastResultsError([f"Ligne 1\u00a0: {fault}" for fault in faults])


def _codes(cells: Cells) -> tuple[str, str | None]:
    return cells["commitment"].strip(), cells.get("item", "").strip() or None


def _read_line(number: int, cells: Cells, faults: list[str], asked: Asked | None) -> PastCount | None:
    """The counts of a line; None for one with a fault, without figures, or whose figures our export hid."""
    before = len(faults)
    if HIDDEN in cells.values() or not (cells["favourable"].strip() or cells["base"].strip()):
        return None
    commitment, item = _codes(cells)
    if not commitment:
        faults.append(f"Ligne {number}\u00a0: l’engagement manque.")
    faults += _unknown_names(number, commitment or None, item, asked)
    if (rule := cells.get("rule", "").strip()) not in ("", *RULES):
        faults.append(f"Ligne {number}\u00a0: règle inconnue «\u202f{rule}\u202f»\u202f; {', '.join(RULES)}.")
    favourable = _number(number, cells, "favourable", faults)
    base = _number(number, cells, "base", faults)
    told = cells.get("population", "").strip()
    population = _number(number, cells, "population", faults) if told else None
    if len(faults) > before or favourable is None or base is None:
        return None
    count = PastCount(commitment, item, favourable, base, population)
    faults += _impossible(number, count, asked)
    return count


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


def _number(line_number: int, cells: Cells, name: str, faults: list[str]) -> int | None:
    text = cells[name].strip()
    if not text:
        faults.append(f"Ligne {line_number}, «\u202f{name}\u202f»\u00a0: la valeur manque.")
        return None
    if text.isascii() and text.isdigit() and len(text) <= LONGEST:
        return int(text)
    what = f"«\u202f{text[:40]}\u202f» n’est pas un nombre entier de moins de {LONGEST + 1} chiffres."
    faults.append(f"Ligne {line_number}, «\u202f{name}\u202f»\u00a0: {what}")
    return None


def _check_all(counts: Sequence[Line], faults: list[str], *, hidden: bool) -> None:
    if not counts and not faults:
        what = "Tous les chiffres de ce fichier sont masqués." if hidden else _NO_LINE
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
