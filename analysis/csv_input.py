"""Figures from a CSV file: counts or answers, told apart by the header; every fault at once.

==========  =====================================================================================
counts      ``commitment,item,favourable,base`` and optionally ``population`` and ``rule``
answers     ``respondent,commitment,item,favourable`` (1, 0 or empty), same optional columns
==========  =====================================================================================

Columns in any order, separated by ``,``, ``;`` or a tabulation, in UTF-8 with or without a byte order mark.
``population`` and ``rule`` belong to the commitment: it is enough that one of its lines gives them.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.axes import CommitmentResult, CommitmentRule, MeasuredItem, Reading, commitment_result
from analysis.csv_faults import CellError, CsvError, RowFault, one_or_zero, whole_number
from analysis.display import counted
from analysis.other_files import by_beginning, by_headings
from analysis.rates import Rate, RespondentSums, Tally

COUNTS = ("commitment", "item", "favourable", "base")
ANSWERS = ("respondent", "commitment", "item", "favourable")
OPTIONAL = ("population", "rule")
SEPARATORS = ",;\t"
Row = tuple[int, list[str] | None]
RULES: Mapping[str, CommitmentRule] = {"pooled": "pooled", "every_item": "every_item"}


@dataclass
class ItemCounts:
    """What the lines of one item add up to. ``lines`` says who was counted where, to find duplicates."""

    favourable: int = 0
    base: int = 0
    unanswered: int = 0
    lines: dict[str, int] = field(default_factory=dict)


@dataclass
class CommitmentCounts:
    """What the lines of one commitment add up to; ``respondents`` holds k and b of each, for answers."""

    first_line: int
    items: dict[str, ItemCounts] = field(default_factory=dict)
    respondents: dict[str, tuple[int, int]] = field(default_factory=dict)
    population: int | None = None
    rule: CommitmentRule | None = None


def results_from_csv(data: bytes, reading: Reading) -> list[CommitmentResult]:
    """The figures of a file's commitments, in the order in which the file names them.

    Raises
    ------
    CsvError
        With every fault of the file.
    """
    reader = CsvReader(data)
    commitments = reader.read()
    return [reader.result(name, counts, reading) for name, counts in commitments.items()]


class CsvReader:
    """Reads one file; collects faults instead of stopping at the first."""

    def __init__(self, data: bytes) -> None:
        self._rows = _rows(_decoded(data))
        self._faults: list[RowFault] = []
        self._commitments: dict[str, CommitmentCounts] = {}
        self._has_answers = False

    def read(self) -> dict[str, CommitmentCounts]:
        """The counts of every commitment."""
        header = next(self._rows, None)
        if header is None:
            raise CsvError([RowFault(1, f"le fichier est vide. {_expected()}")])
        columns = _checked_header(*header)
        self._has_answers = "respondent" in columns
        for line, cells in self._rows:
            try:
                self._read_row(line, _by_column(columns, cells))
            except CellError as error:
                self._faults.append(RowFault(line, str(error)))
        if not self._commitments and not self._faults:
            self._faults.append(RowFault(header[0], "après l’en-tête il n’y a aucune ligne de chiffres."))
        self._check_populations()
        if self._faults:
            raise CsvError(self._faults)
        return self._commitments

    def result(self, name: str, counts: CommitmentCounts, reading: Reading) -> CommitmentResult:
        """The figures of one commitment."""
        sums = RespondentSums.of(counts.respondents.values()) if self._has_answers else None
        return commitment_result(
            name,
            [self._measured(item, found, counts.population) for item, found in counts.items.items()],
            reading,
            rule=counts.rule or "pooled",
            title=name,
            sums=sums,
            population=counts.population,
        )

    @staticmethod
    def _measured(name: str, counts: ItemCounts, population: int | None) -> MeasuredItem:
        tally = Tally(counts.favourable, counts.base, unanswered=counts.unanswered)
        return MeasuredItem(name, Rate(counts.favourable, counts.base, population=population), name, tally)

    def _read_row(self, line: int, row: Mapping[str, str]) -> None:
        for column in ("commitment", "item"):
            if not row[column]:
                raise CellError(f"{column} est vide\u202f; donnez un nom à chaque ligne.")
        commitment = self._commitments.setdefault(row["commitment"], CommitmentCounts(line))
        item = commitment.items.setdefault(row["item"], ItemCounts())
        if self._has_answers:
            _add_answer(commitment, item, row, line)
        else:
            _add_counts(item, row, line)
        _note_population(commitment, row.get("population", ""))
        _note_rule(commitment, row.get("rule", ""))

    def _check_populations(self) -> None:
        """A population smaller than those who answered is a mistake, never something to make fit."""
        for name, counts in self._commitments.items():
            people = len(counts.respondents) or max(item.base for item in counts.items.values())
            if counts.population is not None and counts.population < people:
                self._faults.append(
                    RowFault(
                        counts.first_line,
                        f"population de {counts.population} pour «\u202f{name}\u202f», mais {people} "
                        "personnes ont répondu\u202f; mettez la population à jour ou cherchez des doublons.",
                    )
                )


def _add_counts(item: ItemCounts, row: Mapping[str, str], line: int) -> None:
    _refuse_duplicate(item, "", line, "cet engagement et cette question")
    favourable = whole_number(row["favourable"], "favourable")
    base = whole_number(row["base"], "base")
    if favourable > base:
        found = counted(favourable, "réponse favorable", "réponses favorables")
        raise CellError(
            f"{found} pour une base de {base}\u202f; la base compte toutes les réponses exprimées, "
            "favorables comprises."
        )
    item.favourable, item.base = favourable, base


def _add_answer(commitment: CommitmentCounts, item: ItemCounts, row: Mapping[str, str], line: int) -> None:
    respondent = row["respondent"]
    if not respondent:
        raise CellError("respondent est vide\u202f; donnez un numéro à chaque personne.")
    _refuse_duplicate(item, respondent, line, f"«\u202f{respondent}\u202f» et cette question")
    favourable = one_or_zero(row["favourable"])
    if favourable is None:
        item.unanswered += 1
        return
    item.favourable += favourable
    item.base += 1
    k, b = commitment.respondents.get(respondent, (0, 0))
    commitment.respondents[respondent] = (k + favourable, b + 1)


def _refuse_duplicate(item: ItemCounts, key: str, line: int, subject: str) -> None:
    first = item.lines.setdefault(key, line)
    if first != line:
        raise CellError(f"doublon\u202f; la ligne {first} donne déjà {subject}. Gardez une seule ligne.")


def _note_population(commitment: CommitmentCounts, text: str) -> None:
    if not text:
        return
    population = whole_number(text, "population", least=1)
    if commitment.population not in (None, population):
        raise CellError(
            f"population de {population}, mais {commitment.population} plus haut pour le même "
            "engagement\u202f; un engagement a une seule population."
        )
    commitment.population = population


def _note_rule(commitment: CommitmentCounts, text: str) -> None:
    if not text:
        return
    rule = RULES.get(text)
    if rule is None:
        raise CellError(f"rule contient «\u202f{text}\u202f»\u202f; écrivez pooled ou every_item.")
    if commitment.rule not in (None, rule):
        raise CellError(
            f"règle {rule}, mais {commitment.rule} plus haut pour le même engagement\u202f; "
            "un engagement a une seule règle."
        )
    commitment.rule = rule


def _decoded(data: bytes) -> str:
    if other := by_beginning(data):
        raise CsvError([RowFault(1, other)])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CsvError([RowFault(1, f"le fichier est en UTF-16\u202f; {_SAVE_AS_UTF8}")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CsvError([RowFault(line, f"ce texte n’est pas en UTF-8\u202f; {_SAVE_AS_UTF8}")]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        message = "caractère nul\u202f; ce fichier n’est pas un texte CSV ou il est abîmé."
        raise CsvError([RowFault(line, message)])
    return text


_WRONG_QUOTES = "guillemets mal fermés ou mal placés\u202f; chaque guillemet ouvert doit être fermé."
_SAVE_AS_UTF8 = "enregistrez-le en «\u202fCSV UTF-8\u202f»."


def _rows(text: str) -> Iterator[Row]:
    """``(line, cells)`` of the lines that are not blank; no cells where the quotes cannot be made out.

    A cell over several lines is named by its first. After a wrong quote, reading goes on in the next line of
    the file: an open quote would swallow all that follows, and its faults with it.
    """
    separator = max(SEPARATORS, key=text.split("\n", 1)[0].count)
    lines = list(io.StringIO(text, newline=""))
    first = start = 0
    while first < len(lines):
        reader = csv.reader(lines[first:], delimiter=separator, strict=True)
        try:
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield start + 1, stripped
                start = first + reader.line_num
            return
        except csv.Error:
            yield start + 1, None
            first = start = start + 1


def _checked_header(line: int, cells: Sequence[str] | None) -> list[str]:
    if cells is None:
        raise CsvError([RowFault(line, _WRONG_QUOTES)])
    columns = [cell.lower() for cell in cells]
    if other := by_headings(columns):
        raise CsvError([RowFault(line, other)])
    faults = [RowFault(line, fault) for fault in _header_faults(columns)]
    if faults:
        raise CsvError(faults)
    return columns


def _header_faults(columns: list[str]) -> Iterator[str]:
    known = {*COUNTS, *ANSWERS, *OPTIONAL}
    for column in columns:
        if column not in known:
            close = difflib.get_close_matches(column, known, n=1)
            hint = f" Vouliez-vous dire «\u202f{close[0]}\u202f»\u202f?" if close else ""
            yield f"colonne inconnue «\u202f{column}\u202f».{hint}"
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        yield f"la colonne «\u202f{column}\u202f» est là deux fois\u202f; gardez-en une."
    if {"respondent", "base"} <= set(columns):
        yield f"respondent et base ne vont pas ensemble. {_expected()}"
    wanted = ANSWERS if "respondent" in columns else COUNTS
    missing = [column for column in wanted if column not in columns]
    if missing:
        yield f"colonne manquante\u00a0: {', '.join(missing)}. {_expected()}"


def _expected() -> str:
    return (
        f"L’en-tête est {','.join(COUNTS)} (nombres) ou {','.join(ANSWERS)} (réponses), "
        f"et peut avoir {' et '.join(OPTIONAL)}."
    )


def _by_column(columns: Sequence[str], cells: Sequence[str] | None) -> dict[str, str]:
    if cells is None:
        raise CellError(_WRONG_QUOTES)
    if len(cells) != len(columns):
        raise CellError(
            f"{len(cells)} cases au lieu de {len(columns)}\u202f; vérifiez les séparateurs, "
            "et la virgule des nombres décimaux."
        )
    return dict(zip(columns, cells, strict=True))
