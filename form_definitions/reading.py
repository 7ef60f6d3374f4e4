"""Nodes → typed values: one small reader per kind of scalar. Each also tells its JSON Schema for editors.

Lists and mappings are read in ``structures.py``.

A reader never raises on bad content: it notes a fault at the place and returns INVALID. The text of a scalar
is typed here and nowhere else, so ``no`` is the word "no", ``012`` is not octal and ``1e3`` is no number.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Final

from form_definitions.errors import Report, listed, nearest, shortened
from form_definitions.yaml_source import Node, TextNode

JsonSchema = dict[str, Any]
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
TEXT_LIMIT = 4000


class Invalid:
    """Stands for a value that was refused and reported."""


INVALID: Final = Invalid()


class Reader(ABC):
    """Reads one kind of value."""

    @abstractmethod
    def read(self, node: Node, report: Report) -> Any:
        """The value of a node, or INVALID after noting why."""

    @abstractmethod
    def schema(self) -> JsonSchema:
        """What an editor may know about this value."""


_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


class Text(Reader):
    """Words that somebody will read: NFC, without blanks around or invisible characters."""

    def __init__(self, limit: int = TEXT_LIMIT, *, or_null: bool = False) -> None:
        self._limit, self._or_null = limit, or_null

    def read(self, node: Node, report: Report) -> Any:
        """A str; None where ``null`` is admitted and written."""
        if not isinstance(node, TextNode):
            return refused("not_text", node, report)
        if self._or_null and not node.quoted and node.value in ("", "null", "~"):
            return None
        value = node.value.strip()
        if not value:
            return refused("empty_text", node, report)
        if found := _FORBIDDEN.search(value):
            return refused("control_character", node, report, number=f"{ord(found[0]):04X}")
        if len(value) > self._limit:
            return refused("text_too_long", node, report, limit=self._limit)
        return unicodedata.normalize("NFC", value)

    def schema(self) -> JsonSchema:
        """A non-empty string. Editors may take an unquoted number or truth value for what it looks like."""
        kinds = ["string", "number", "boolean", *(["null"] if self._or_null else [])]
        return {"type": kinds, "minLength": 1, "maxLength": self._limit}


def refused(
    code: str, node: Node, report: Report, suggestion: str | None = None, **parameters: object
) -> Invalid:
    """INVALID, after noting why; a node that stands for a fault of the YAML was reported with it."""
    if type(node) is not Node:
        report.add(code, node.line, node.column, suggestion, **parameters)
    return INVALID


class Name(Reader):
    """A code: item, option, section, site, scale, commitment."""

    _pattern = re.compile(NAME_PATTERN.replace("$", r"\Z"))

    def read(self, node: Node, report: Report) -> Any:
        """A str."""
        if not isinstance(node, TextNode):
            return refused("not_text", node, report)
        if not self._pattern.match(node.value):
            return refused(
                "not_a_name", node, report, suggestion=_as_name(node.value), value=node.value or "(vide)"
            )
        return node.value

    def schema(self) -> JsonSchema:
        """Its pattern; true and false are admitted because an editor reads an option ``no`` as false."""
        return {"type": ["string", "boolean"], "pattern": NAME_PATTERN}


def _as_name(value: str) -> str | None:
    """The text turned into a code, to suggest it."""
    plain = unicodedata.normalize("NFKD", shortened(value)).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]
    return name if Name._pattern.match(name) else None


class WholeNumber(Reader):
    """A whole number in decimal digits."""

    _pattern = re.compile(r"-?[0-9]{1,15}\Z")

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def read(self, node: Node, report: Report) -> Any:
        """An int between the bounds."""
        if not isinstance(node, TextNode):
            return refused("not_text", node, report)
        if node.quoted or not self._pattern.match(node.value):
            return refused("not_a_whole_number", node, report, value=node.value)
        value = int(node.value)
        if not self._low <= value <= self._high:
            return refused("number_out_of_bounds", node, report, value=value, low=self._low, high=self._high)
        return value

    def schema(self) -> JsonSchema:
        """An integer."""
        return {"type": "integer", "minimum": self._low, "maximum": self._high}


class TrueOrFalse(Reader):
    """``true`` or ``false``, in these words only."""

    def read(self, node: Node, report: Report) -> Any:
        """A bool."""
        value = node.value if isinstance(node, TextNode) and not node.quoted else ""
        if value in ("true", "false"):
            return value == "true"
        meant = {"oui": "true", "yes": "true", "non": "false", "no": "false"}.get(value.lower())
        shown = node.value if isinstance(node, TextNode) else "ceci"
        return refused("not_true_or_false", node, report, suggestion=meant, value=shown)

    def schema(self) -> JsonSchema:
        """A boolean."""
        return {"type": "boolean"}


class OneOf(Reader):
    """One of some fixed words."""

    def __init__(self, words: Iterable[str], fault_code: str = "unknown_word") -> None:
        self._words, self._fault_code = tuple(words), fault_code

    def read(self, node: Node, report: Report) -> Any:
        """The word."""
        if not isinstance(node, TextNode):
            return refused("not_text", node, report)
        if node.value not in self._words:
            suggestion = nearest(node.value, self._words)
            return refused(
                self._fault_code, node, report, suggestion, value=node.value, words=listed(self._words)
            )
        return node.value

    def schema(self) -> JsonSchema:
        """The words."""
        return {"enum": list(self._words)}
