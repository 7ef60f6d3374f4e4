"""Nodes → typed values: one small reader per kind of value. Each also tells its JSON Schema for editors.

A reader never raises on bad content: it notes a fault at the place and returns INVALID. The text of a scalar
is typed here and nowhere else, so ``no`` is the word "no", ``012`` is not octal and ``1e3`` is no number.
"""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from form_definitions.errors import Report, listed, nearest, shortened
from form_definitions.yaml_source import ListNode, MapNode, Node, TextNode

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
            return _refused("not_text", node, report)
        if self._or_null and not node.quoted and node.value in ("", "null", "~"):
            return None
        value = node.value.strip()
        if not value:
            return _refused("empty_text", node, report)
        if found := _FORBIDDEN.search(value):
            return _refused("control_character", node, report, number=f"{ord(found[0]):04X}")
        if len(value) > self._limit:
            return _refused("text_too_long", node, report, limit=self._limit)
        return unicodedata.normalize("NFC", value)

    def schema(self) -> JsonSchema:
        """A non-empty string. Editors may take an unquoted number or truth value for what it looks like."""
        kinds = ["string", "number", "boolean", *(["null"] if self._or_null else [])]
        return {"type": kinds, "minLength": 1, "maxLength": self._limit}


def _refused(
    code: str, node: Node, report: Report, suggestion: str | None = None, **parameters: object
) -> Invalid:
    if type(node) is not Node:
        report.add(code, node.line, node.column, suggestion, **parameters)
    return INVALID


class Name(Reader):
    """A code: item, option, section, site, scale, commitment."""

    _pattern = re.compile(NAME_PATTERN.replace("$", r"\Z"))

    def read(self, node: Node, report: Report) -> Any:
        """A str."""
        if not isinstance(node, TextNode):
            return _refused("not_text", node, report)
        if not self._pattern.match(node.value):
            return _refused(
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
            return _refused("not_text", node, report)
        if node.quoted or not self._pattern.match(node.value):
            return _refused("not_a_whole_number", node, report, value=node.value)
        value = int(node.value)
        if not self._low <= value <= self._high:
            return _refused("number_out_of_bounds", node, report, value=value, low=self._low, high=self._high)
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
        return _refused("not_true_or_false", node, report, suggestion=meant, value=shown)

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
            return _refused("not_text", node, report)
        if node.value not in self._words:
            suggestion = nearest(node.value, self._words)
            return _refused(
                self._fault_code, node, report, suggestion, value=node.value, words=listed(self._words)
            )
        return node.value

    def schema(self) -> JsonSchema:
        """The words."""
        return {"enum": list(self._words)}


class ListOf(Reader):
    """A list of values of one kind."""

    def __init__(self, member: Reader, minimum: int = 1) -> None:
        self._member, self._minimum = member, minimum
        self._distinct = isinstance(member, Name | OneOf)

    def read(self, node: Node, report: Report) -> Any:
        """A tuple of the valid members. Members of words are distinct."""
        if not isinstance(node, ListNode):
            return _refused("not_a_list", node, report)
        if len(node.items) < self._minimum:
            report.add("list_too_short", node.line, node.column, minimum=self._minimum)
        read = self._member.read
        values = [(value, item) for item in node.items if (value := read(item, report)) is not INVALID]
        if self._distinct:
            self._report_repeated(values, report)
        return tuple(value for value, _ in values)

    @staticmethod
    def _report_repeated(values: list[tuple[Any, Node]], report: Report) -> None:
        seen: set[str] = set()
        for value, node in values:
            if value in seen:
                report.add("repeated_in_list", node.line, node.column, value=value)
            seen.add(value)

    def schema(self) -> JsonSchema:
        """An array."""
        distinct = {"uniqueItems": True} if self._distinct else {}
        return {"type": "array", "minItems": self._minimum, "items": self._member.schema()} | distinct


class Key(NamedTuple):
    """How one key of a mapping is read."""

    reader: Reader
    description: str
    required: bool = False


class Record:
    """A mapping that was read: its values, and where each stands."""

    __slots__ = ("_nodes", "node", "values")

    def __init__(self, node: MapNode) -> None:
        self.node = node
        self.values: dict[str, Any] = {}
        self._nodes = node.entries

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default when it is absent or was refused."""
        return self.values.get(key, default)

    def wrote(self, key: str) -> bool:
        """Whether the author wrote this key, rightly or not."""
        return key in self._nodes

    def where(self, key: str) -> Node:
        """Where the value of a key stands (or the mapping itself)."""
        return self._nodes[key][1] if key in self._nodes else self.node

    def where_in(self, key: str, position: int) -> Node:
        """Where one element of a list stands."""
        node = self.where(key)
        return node.items[position] if isinstance(node, ListNode) else node


def take_name(record: Record, key: str, lines: dict[str, int], report: Report) -> None:
    """Note in ``lines`` where a name is taken, or the fault that it is taken already."""
    name, node = record.get(key), record.where(key)
    if name in lines:
        report.add("duplicate_name", node.line, node.column, name=name, first_line=lines[name])
    elif name is not None:
        lines[name] = node.line


class RecordOf(Reader):
    """A mapping with known keys."""

    def __init__(self, what: str, keys: Mapping[str, Key]) -> None:
        self.what, self.keys = what, keys
        self._required = tuple(name for name, key in keys.items() if key.required)

    def read(self, node: Node, report: Report) -> Any:
        """A Record of the keys that were read without fault."""
        if not isinstance(node, MapNode):
            return _refused("not_a_map", node, report, what=self.what[:1].upper() + self.what[1:])
        record, keys = Record(node), self.keys
        for name, (key_node, value_node) in node.entries.items():
            key = keys.get(name)
            if key is None:
                self._report_unknown(key_node, report)
            elif (value := key.reader.read(value_node, report)) is not INVALID:
                record.values[name] = value
        for name in self._required:
            if name not in node.entries:
                report.add("missing_key", node.line, node.column, key=name, what=self.what)
        return record

    def _report_unknown(self, key: TextNode, report: Report) -> None:
        suggestion = nearest(key.value, self.keys)
        report.add(
            "unknown_key",
            key.line,
            key.column,
            suggestion,
            key=key.value,
            what=self.what,
            words=listed(self.keys),
        )

    def schema(self) -> JsonSchema:
        """An object."""
        properties = {
            name: key.reader.schema() | {"description": key.description} for name, key in self.keys.items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(self._required),
            "additionalProperties": False,
        }


class MapOf(Reader):
    """A mapping from codes that the author chooses to values of one kind."""

    def __init__(self, member: Reader, what: str) -> None:
        self._member, self._what, self._name = member, what, Name()

    def read(self, node: Node, report: Report) -> Any:
        """A dict from code to (value, where the code stands)."""
        if not isinstance(node, MapNode):
            return _refused("not_a_map", node, report, what=self._what)
        values: dict[str, tuple[Any, Node]] = {}
        for key_node, value_node in node.entries.values():
            name = self._name.read(key_node, report)
            value = self._member.read(value_node, report)
            if name is not INVALID and value is not INVALID:
                values[name] = (value, key_node)
        return values

    def schema(self) -> JsonSchema:
        """An object with patterned keys."""
        return {
            "type": "object",
            "patternProperties": {NAME_PATTERN: self._member.schema()},
            "additionalProperties": False,
        }
