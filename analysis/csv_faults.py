"""What can be wrong in a CSV of figures: where, what, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LARGEST_COUNT = 10**8
"""More than France has people: whoever writes a larger one mistook the column."""


@dataclass(frozen=True, slots=True, order=True)
class RowFault:
    """One fault of one line (counted from 1, the header included)."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"ligne {self.line}\u00a0: {self.message}"


class CsvError(ValueError):
    """A CSV that cannot be read. ``faults`` are all that is wrong, in the order of the lines."""

    def __init__(self, faults: Sequence[RowFault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


class CellError(ValueError):
    """One cell that cannot be read; the message says what and how to mend it."""


def whole_number(text: str, column: str, *, least: int = 0) -> int:
    """A count, written as a whole number and nothing else.

    Raises
    ------
    CellError
        For anything else. Percentages and decimal numbers are the usual traps: they are not counts.
    """
    if re.fullmatch(r"[0-9]{1,15}", text):
        number = int(text)
        if least <= number <= LARGEST_COUNT:
            return number
        raise CellError(f"{column} vaut {number}\u202f; il faut un nombre de {least} à {LARGEST_COUNT}.")
    raise CellError(f"{column} contient «\u202f{text}\u202f»\u202f; {_remedy(text)}")


def _remedy(text: str) -> str:
    if not text:
        return "la case est vide, écrivez un nombre entier."
    if "%" in text:
        return "c’est un pourcentage, écrivez le nombre de réponses."
    if re.fullmatch(r"[0-9]{1,3}([ \u00a0\u202f.,][0-9]{3})+", text):
        return "écrivez le nombre entier sans espace ni séparateur de milliers."
    if re.fullmatch(r"[0-9]*[.,][0-9]+", text):
        return "c’est un nombre à virgule, écrivez le nombre entier de réponses (ni taux, ni moyenne)."
    if text.startswith(("-", "−")):
        return "un nombre de réponses n’est jamais négatif."
    return "écrivez un nombre entier."


def one_or_zero(text: str) -> bool | None:
    """An answer: ``1`` favourable, ``0`` not, empty when nothing was expressed.

    Raises
    ------
    CellError
        For anything else.
    """
    if text in ("", "0", "1"):
        return None if text == "" else text == "1"
    raise CellError(
        f"favourable contient «\u202f{text}\u202f»\u202f; écrivez 1 (favorable), 0 (non favorable) "
        "ou laissez vide (pas de réponse exprimée)."
    )
