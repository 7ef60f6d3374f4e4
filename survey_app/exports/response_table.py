"""One line per response: which columns a table of answers has, and what each cell holds.

Codes are for programs and never change; labels are for readers. No column leads back to a person or a device:
no record id, no time of day, no sequence number (the lines come in random order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from form_definitions.model import Item, Questionnaire, ResponseOption
from survey_app.exports.asked_items import AskedItems
from survey_app.exports.words import ABSENCE_LABELS, mode_label

Cell = str | int | date | None
Cells = tuple[Cell, ...]
ColumnKind = Literal["code", "label", "number", "text", "day"]
OFF_PATH = "off_path"
UNKNOWN_CODE = "unknown_code"


class CollectedResponse(Protocol):
    """What floor 3 gives for one response that counts."""

    @property
    def questionnaire_digest(self) -> str: ...
    @property
    def site(self) -> str | None: ...
    @property
    def mode(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def answered_on(self) -> date: ...
    @property
    def complete(self) -> bool: ...
    @property
    def assisted(self) -> bool | None: ...
    @property
    def answers(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Column:
    """``code`` heads the column for programs, ``label`` for readers."""

    code: str
    label: str
    kind: ColumnKind


Read = Callable[[Mapping[str, Any], frozenset[str]], Cells]
"""The answers and the names of the items asked → one cell per column of the block."""


@dataclass(frozen=True)
class Block:
    """The columns of one question, read together: each answer is looked up once."""

    columns: tuple[Column, ...]
    read: Read


def merged_items(versions: Iterable[Questionnaire]) -> tuple[Item, ...]:
    """The items of all versions of one wave that take an answer; the first version given names them."""
    items: dict[str, Item] = {}
    for questionnaire in versions:
        for item in questionnaire.items:
            if item.question_type != "note":
                items[item.name] = _with_options_of(items[item.name], item) if item.name in items else item
    return tuple(items.values())


def _with_options_of(kept: Item, other: Item) -> Item:
    known = {option.code for option in kept.options}
    added = tuple(option for option in other.options if option.code not in known)
    return kept.model_copy(update={"options": kept.options + added}) if added else kept


def item_blocks(items: Iterable[Item], *, labels: bool, verbatims: bool) -> Iterator[Block]:
    """The columns in the order of the questionnaire; free texts only where ``verbatims`` says so."""
    for item in items:
        if item.question_type == "multiple_choice":
            yield _ticks(item)
        elif item.options:
            yield _choice(item, labels=labels)
        elif item.question_type in ("number", "recommendation"):
            yield _number(item)
        elif verbatims:
            yield _text(item.name, Column(item.name, item.label, "text"), item.name)
        if verbatims:
            yield from (_specified(item, option) for option in item.options if option.specify)


def _choice(item: Item, *, labels: bool) -> Block:
    """The code of the chosen option and, beside it, its label."""
    width = 2 if labels else 1
    columns = (
        Column(item.name, item.label, "code"),
        Column(f"{item.name}.label", f"{item.label} (libellé)", "label"),
    )
    known: dict[str, Cells] = {option.code: (option.code, option.label)[:width] for option in item.options}
    off_path: Cells = (OFF_PATH, ABSENCE_LABELS["off_path"])[:width]
    unknown: Cells = (UNKNOWN_CODE, "Code inconnu")[:width]
    unanswered: Cells = (None, None)[:width]
    name = item.name

    def read(answers: Mapping[str, Any], asked: frozenset[str]) -> Cells:
        if name not in asked:
            return off_path
        answer = answers.get(name)
        if answer is None:
            return unanswered
        if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], str):
            return known.get(answer[0], unknown)
        return unknown

    return Block(columns[:width], read)


def _ticks(item: Item) -> Block:
    """One column of 1 and 0 for each option of a multiple choice."""
    columns = tuple(_tick_column(item, option) for option in item.options)
    codes = tuple(option.code for option in item.options)
    nothing: Cells = (None,) * len(codes)
    name = item.name

    def read(answers: Mapping[str, Any], asked: frozenset[str]) -> Cells:
        answer = answers.get(name)
        if name not in asked or not isinstance(answer, list):
            return nothing
        return tuple(int(code in answer) for code in codes)

    return Block(columns, read)


def _tick_column(item: Item, option: ResponseOption) -> Column:
    return Column(f"{item.name}.{option.code}", f"{item.label} – {option.label}", "number")


def _number(item: Item) -> Block:
    name = item.name

    def read(answers: Mapping[str, Any], asked: frozenset[str]) -> Cells:
        answer = answers.get(name)
        is_number = isinstance(answer, int) and not isinstance(answer, bool)
        return (answer if name in asked and is_number else None,)

    return Block((Column(name, item.label, "number"),), read)


def _text(name: str, column: Column, key: str) -> Block:
    """The text under ``key``, which belongs to the item ``name``."""

    def read(answers: Mapping[str, Any], asked: frozenset[str]) -> Cells:
        answer = answers.get(key)
        return (answer if name in asked and isinstance(answer, str) else None,)

    return Block((column,), read)


def _specified(item: Item, option: ResponseOption) -> Block:
    key = f"{item.name}.{option.code}"
    return _text(item.name, Column(f"{key}.text", f"{item.label} – {option.specify}", "text"), key)


CIRCUMSTANCES = (
    Column("answered_on", "Jour", "day"),
    Column("site", "Site", "code"),
    Column("site.label", "Site (libellé)", "label"),
    Column("mode", "Mode de recueil", "code"),
    Column("mode.label", "Mode (libellé)", "label"),
    Column("language", "Langue", "code"),
    Column("complete", "Terminé (1 = oui)", "number"),
    Column("assisted", "Avec l’aide d’un agent (1 = oui, 0 = non, vide = non indiqué)", "number"),
)


class ResponseTable:
    """The columns of a wave and the cells of its responses, whatever version each of them answered."""

    def __init__(
        self,
        versions: Mapping[str, Questionnaire],
        sites: Mapping[str, str],
        *,
        labels: bool,
        verbatims: bool,
    ) -> None:
        blocks = tuple(item_blocks(merged_items(versions.values()), labels=labels, verbatims=verbatims))
        first = tuple(column for column in CIRCUMSTANCES if labels or column.kind != "label")
        self.columns: tuple[Column, ...] = first + tuple(c for block in blocks for c in block.columns)
        self._labels = labels
        self._sites = sites
        self._reads = tuple(block.read for block in blocks)
        self._asked = {digest: AskedItems(questionnaire) for digest, questionnaire in versions.items()}

    def asked(self, response: CollectedResponse) -> frozenset[str]:
        """The names of the items that this response was asked."""
        mode: Any = response.mode
        return self._asked[response.questionnaire_digest].of(mode, response.site, response.answers)

    def cells(self, response: CollectedResponse) -> list[Cell]:
        """One cell per column."""
        asked, answers = self.asked(response), response.answers
        row = self._circumstances(response)
        for read in self._reads:
            row += read(answers, asked)
        return row

    def _circumstances(self, response: CollectedResponse) -> list[Cell]:
        day, site, mode = response.answered_on, response.site, response.mode
        assisted = None if response.assisted is None else int(response.assisted)
        end: tuple[Cell, ...] = (response.language, int(response.complete), assisted)
        if not self._labels:
            return [day, site, mode, *end]
        return [day, site, self._sites.get(site, site) if site else None, mode, mode_label(mode), *end]
