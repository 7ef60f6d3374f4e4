"""One line per response: which columns a table of answers has, and what each cell holds.

Codes are for programs and never change; labels are for readers. No column leads back to a person or a device:
no record id, no time of day, no sequence number (the lines come in random order).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from form_definitions.model import Item, Questionnaire, ResponseOption
from survey_app.exports.asked_items import AskedItems
from survey_app.exports.words import ABSENCE_LABELS, mode_label

Cell = str | int | date | None
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
    def answers(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Column:
    """``code`` heads the column for programs, ``label`` for readers."""

    code: str
    label: str
    kind: ColumnKind
    read: Callable[[CollectedResponse, frozenset[str]], Cell]


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


def response_columns(
    items: Sequence[Item], *, sites: Mapping[str, str], labels: bool, verbatims: bool
) -> tuple[Column, ...]:
    """The columns in the order of the questionnaire; free texts only where ``verbatims`` says so."""
    columns = list(_circumstances(sites, labels=labels))
    for item in items:
        columns += _item_columns(item, labels=labels, verbatims=verbatims)
    return tuple(columns)


def _circumstances(sites: Mapping[str, str], *, labels: bool) -> Iterator[Column]:
    yield Column("answered_on", "Jour", "day", lambda response, asked: response.answered_on)
    yield Column("site", "Site", "code", lambda response, asked: response.site)
    if labels:
        yield Column("site.label", "Site (libellé)", "label", lambda response, asked: _site(response, sites))
    yield Column("mode", "Mode de recueil", "code", lambda response, asked: response.mode)
    if labels:
        yield Column("mode.label", "Mode (libellé)", "label", _mode)
    yield Column("language", "Langue", "code", lambda response, asked: response.language)
    yield Column("complete", "Terminé (1 = oui)", "number", lambda response, asked: int(response.complete))


def _mode(response: CollectedResponse, asked: frozenset[str]) -> Cell:
    return mode_label(response.mode)


def _site(response: CollectedResponse, sites: Mapping[str, str]) -> str | None:
    return sites.get(response.site, response.site) if response.site else None


def _item_columns(item: Item, *, labels: bool, verbatims: bool) -> Iterator[Column]:
    if item.question_type == "multiple_choice":
        yield from (_tick_column(item, option) for option in item.options)
    elif item.options:
        yield _code_column(item)
        if labels:
            yield _label_column(item)
    elif item.question_type in ("number", "recommendation"):
        yield Column(item.name, item.label, "number", lambda response, asked: _number(response, asked, item))
    elif verbatims:
        yield Column(item.name, item.label, "text", lambda response, asked: _text(response, asked, item.name))
    if verbatims:
        yield from (_specify_column(item, option) for option in item.options if option.specify)


def _code_column(item: Item) -> Column:
    known = frozenset(option.code for option in item.options)

    def read(response: CollectedResponse, asked: frozenset[str]) -> Cell:
        return _single_code(response, asked, item.name, known)

    return Column(item.name, item.label, "code", read)


def _label_column(item: Item) -> Column:
    known = frozenset(option.code for option in item.options)
    labels: dict[str | None, str] = {option.code: option.label for option in item.options}
    labels |= {OFF_PATH: ABSENCE_LABELS["off_path"], UNKNOWN_CODE: "Code inconnu"}

    def read(response: CollectedResponse, asked: frozenset[str]) -> Cell:
        return labels.get(_single_code(response, asked, item.name, known))

    return Column(f"{item.name}.label", f"{item.label} (libellé)", "label", read)


def _single_code(
    response: CollectedResponse, asked: frozenset[str], name: str, known: frozenset[str]
) -> str | None:
    if name not in asked:
        return OFF_PATH
    answer = response.answers.get(name)
    if answer is None:
        return None
    match answer:
        case [str(code)] if code in known:
            return code
    return UNKNOWN_CODE


def _tick_column(item: Item, option: ResponseOption) -> Column:
    def read(response: CollectedResponse, asked: frozenset[str]) -> Cell:
        answer = response.answers.get(item.name)
        if item.name not in asked or not isinstance(answer, list):
            return None
        return int(option.code in answer)

    return Column(f"{item.name}.{option.code}", f"{item.label} – {option.label}", "number", read)


def _number(response: CollectedResponse, asked: frozenset[str], item: Item) -> Cell:
    answer = response.answers.get(item.name)
    is_number = isinstance(answer, int) and not isinstance(answer, bool)
    return answer if item.name in asked and is_number else None


def _text(response: CollectedResponse, asked: frozenset[str], name: str) -> Cell:
    answer = response.answers.get(name)
    return answer if name.partition(".")[0] in asked and isinstance(answer, str) else None


def _specify_column(item: Item, option: ResponseOption) -> Column:
    name = f"{item.name}.{option.code}.text"
    key = f"{item.name}.{option.code}"
    heading = f"{item.label} – {option.specify}"
    return Column(name, heading, "text", lambda response, asked: _text(response, asked, key))


class ResponseTable:
    """The columns of a wave and the cells of its responses, whatever version each of them answered."""

    def __init__(self, versions: Mapping[str, Questionnaire], columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._asked = {digest: AskedItems(questionnaire) for digest, questionnaire in versions.items()}

    def asked(self, response: CollectedResponse) -> frozenset[str]:
        """The names of the items that this response was asked."""
        mode: Any = response.mode
        return self._asked[response.questionnaire_digest].of(mode, response.site, response.answers)

    def cells(self, response: CollectedResponse) -> list[Cell]:
        """One cell per column."""
        asked = self.asked(response)
        return [column.read(response, asked) for column in self.columns]
