"""The codebook: what each code of the answers means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from form_definitions.model import Item
from survey_app.exports.csv_writing import OPEN, write_csv
from survey_app.exports.response_table import OFF_PATH, UNKNOWN_CODE, merged_items
from survey_app.exports.source import ReportSource

CodebookRow = tuple[str | int | None, ...]

HEADINGS = {
    "item": "Question (code)",
    "question": "Question",
    "type": "Type",
    "code": "Modalité (code)",
    "label": "Modalité",
    "role": "Rôle",
    "favourable": "Favorable (1 = oui)",
    "commitment": "Engagement",
}
"""Heading for programs → heading for readers."""

ROLES = {"substantive": "réponse", "not_applicable": "non concerné", "no_opinion": "sans opinion"}


def codebook_rows(items: Iterable[Item]) -> Iterator[CodebookRow]:
    """One row per option of a closed question, one row per other question; then the codes of absences."""
    for item in items:
        yield from _item_rows(item)
    for code, label in (
        (OFF_PATH, "question non posée (autre site, autre mode, ou condition non remplie)"),
        (None, "cellule vide\u00a0: question posée, sans réponse"),
        (
            UNKNOWN_CODE,
            "code que cette version ne connaît pas\u00a0: conservé, non compté",
        ),
    ):
        yield (None, "Toutes les questions", None, code, label, None, None, None)


def _item_rows(item: Item) -> Iterator[CodebookRow]:
    head = (item.name, item.label, item.question_type)
    if not item.options:
        yield (*head, None, _bounds(item), None, None, item.commitment)
    for option in item.options:
        favourable = int(option.code in item.rate.favourable) if item.rate else None
        yield (*head, option.code, option.label, ROLES[option.role], favourable, item.commitment)


def _bounds(item: Item) -> str | None:
    if item.maximum_length is not None:
        return f"texte libre, {item.maximum_length} caractères au plus"
    low = f"de {item.minimum}" if item.minimum is not None else None
    high = f"à {item.maximum}" if item.maximum is not None else None
    return " ".join(part for part in (low, high, item.unit) if part) or None


def write_codebook(source: ReportSource, stream: BinaryIO) -> None:
    """The codebook as CSV for programs."""
    write_csv(stream, OPEN, list(HEADINGS), codebook_rows(merged_items(source.versions.values())))
